using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class ConversationTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task Members_get_events_in_order_and_only_the_sender_gets_the_nonce()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("alice");
        await using var bob = await node.ConnectAsync("bob");
        var joined = await alice.JoinAsync("order");
        await bob.JoinAsync("order");
        Assert.Equal(0, (long)joined["seq"]!);
        Assert.Contains("alice", joined["members"]!.AsArray().Select(member => (string)member!));

        for (var i = 1; i <= 30; i++)
        {
            await alice.SendAsync(new { type = "room", room = "order", content = $"m{i}", nonce = $"n{i}" });
        }

        for (var i = 1; i <= 30; i++)
        {
            var atBob = await bob.ExpectAsync("room");
            Assert.Equal((i, $"m{i}", null), ((int)atBob["seq"]!, (string)atBob["content"]!, (string?)atBob["nonce"]));
            Assert.Equal($"n{i}", (string?)(await alice.ExpectAsync("room"))["nonce"]);
            Assert.Equal(i, (long)(await alice.ExpectAsync("ack"))["seq"]!);
        }
    }

    [Fact]
    public async Task Messages_reach_members_on_another_node()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var alice = await one.ConnectAsync("alice");
        await using var bob = await other.ConnectAsync("bob");
        Assert.NotEqual((string?)alice.Welcome["node"], (string?)bob.Welcome["node"]);
        await alice.JoinAsync("two-nodes");
        await bob.JoinAsync("two-nodes");

        await alice.SayAsync("two-nodes", "from one");
        Assert.Equal("from one", (string?)(await bob.ExpectAsync("room"))["content"]);
        await bob.SayAsync("two-nodes", "from the other");
        Assert.Equal("from the other", (string?)(await alice.ExpectAsync("room", frame => (string?)frame["from"] == "bob"))["content"]);
    }

    [Fact]
    public async Task Direct_messages_reach_all_devices_of_both()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var alice = await one.ConnectAsync("da");
        await using var alicePhone = await other.ConnectAsync("da");
        await using var bob = await other.ConnectAsync("db");
        await alice.SendAsync(new { type = "dm", to = "db", content = "psst", nonce = "d1" });

        foreach (var device in new[] { alice, alicePhone })
        {
            var copy = await device.ExpectAsync("dm");
            Assert.Equal(("db", "da", "d1"), ((string?)copy["to"], (string?)copy["from"], (string?)copy["nonce"]));
        }
        var received = await bob.ExpectAsync("dm");
        Assert.Equal(("db", "da", null), ((string?)received["to"], (string?)received["from"], (string?)received["nonce"]));
        Assert.Equal("db", (string?)(await alice.ExpectAsync("ack"))["to"]);
    }

    [Fact]
    public async Task A_message_to_oneself_arrives_once()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("selfish");
        await alice.SendAsync(new { type = "dm", to = "selfish", content = "note", nonce = "s1" });
        await alice.ExpectAsync("ack");
        await alice.ExpectAsync("dm");
        await alice.SendAsync(new { type = "dm", to = "selfish", content = "note", nonce = "s2" });
        await alice.ExpectAsync("ack");
        Assert.Equal(2, (long)(await alice.ExpectAsync("dm"))["seq"]!);
        Assert.DoesNotContain(await alice.SettleAsync(), frame => (string?)frame["type"] == "dm");
    }

    [Fact]
    public async Task A_repeated_nonce_gets_the_first_ack_from_any_node()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var alice = await one.ConnectAsync("repeater");
        await alice.JoinAsync("repeats");
        var first = await alice.SayAsync("repeats", "once", "same");

        await using var again = await other.ConnectAsync("repeater");
        await again.JoinAsync("repeats");
        var second = await again.SayAsync("repeats", "another content", "same");
        Assert.True((bool)second["duplicate"]!);
        Assert.Equal(((string?)first["id"], (long)first["seq"]!, (string?)first["timestamp"]),
            ((string?)second["id"], (long)second["seq"]!, (string?)second["timestamp"]));
        await again.SayAsync("repeats", "next");
        Assert.Equal("next", (string?)(await again.ExpectAsync("room"))["content"]);
    }

    [Fact]
    public async Task Who_comes_back_gets_what_was_missed_and_then_live()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("resume");
        for (var i = 1; i <= 10; i++)
        {
            await alice.SayAsync("resume", $"m{i}");
        }

        await using var other = await StartAsync();
        foreach (var fresh in new[] { node, other })
        {
            await using var bob = await fresh.ConnectAsync("bob");
            await bob.SendAsync(new { type = "resume", @ref = "r",
                conversations = new object[] { new { room = "resume", since = 4, epoch = LogFixture.Epoch } } });
            var joined = await bob.ExpectAsync("joined");
            var head = (long)joined["seq"]!;
            for (var seq = 5; seq <= head; seq++)
            {
                Assert.Equal(seq, (long)(await bob.ExpectAsync("room"))["seq"]!);
            }

            var resumed = await bob.ExpectAsync("resumed");
            Assert.Equal((head, head, true, "r"),
                ((long)resumed["seq"]!, (long)resumed["head"]!, (bool)resumed["complete"]!, (string?)resumed["ref"]));
            await alice.SayAsync("resume", "live");
            Assert.Equal(head + 1, (long)(await bob.ExpectAsync("room"))["seq"]!);
        }
    }

    [Theory]
    [InlineData(99, LogFixture.Epoch)]
    [InlineData(1, "unknown")]
    public async Task An_unknown_place_is_answered_by_reload(long since, string epoch)
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("unknown-place");
        await alice.SayAsync("unknown-place", "m");
        await alice.SendAsync(new { type = "join", room = "unknown-place", since, epoch });
        var resumed = await alice.ExpectAsync("resumed");
        Assert.Equal((0, false), ((long)resumed["seq"]!, (bool)resumed["complete"]!));
    }

    [Fact]
    public async Task A_direct_conversation_resumes()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("ra");
        for (var i = 1; i <= 5; i++)
        {
            await alice.SendAsync(new { type = "dm", to = "rb", content = $"d{i}", nonce = $"d{i}" });
            await alice.ExpectAsync("ack");
        }
        await using var bob = await node.ConnectAsync("rb");
        await bob.SendAsync(new { type = "resume", conversations = new object[] { new { to = "ra", since = 2 } } });
        for (var seq = 3; seq <= 5; seq++)
        {
            Assert.Equal(seq, (long)(await bob.ExpectAsync("dm"))["seq"]!);
        }

        var resumed = await bob.ExpectAsync("resumed");
        Assert.Equal(("ra", 5, 5, true),
            ((string?)resumed["to"], (long)resumed["seq"]!, (long)resumed["head"]!, (bool)resumed["complete"]!));
    }

    [Fact]
    public async Task Leaving_ends_the_membership_on_every_device()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var desk = await one.ConnectAsync("leaver");
        await using var phone = await other.ConnectAsync("leaver");
        await desk.JoinAsync("left");
        await phone.JoinAsync("left");
        await desk.SendAsync(new { type = "leave", room = "left", @ref = "bye" });
        Assert.Equal("bye", (string?)(await desk.ExpectAsync("left"))["ref"]);
        Assert.Null((await phone.ExpectAsync("left"))["ref"]);
        await phone.SendAsync(new { type = "room", room = "left", content = "x", nonce = "x" });
        Assert.Equal(("not_joined", "x"), await ErrorAsync(phone));

        // In one go, without waiting: the frames of one connection for one room are handled one after the other.
        await desk.SendAsync(new { type = "join", room = "left" });
        await desk.SendAsync(new { type = "room", room = "left", content = "y", nonce = "y" });
        await desk.SendAsync(new { type = "leave", room = "left" });
        await desk.SendAsync(new { type = "join", room = "left" });
        await desk.SendAsync(new { type = "room", room = "left", content = "z", nonce = "z" });
        await desk.ExpectAsync("ack", frame => (string?)frame["nonce"] == "y");
        await desk.ExpectAsync("left");
        await desk.ExpectAsync("ack", frame => (string?)frame["nonce"] == "z");
    }

    [Fact]
    public async Task Members_may_send_over_http_and_others_may_not()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("poster");
        await alice.JoinAsync("http");
        using var http = node.HttpClient("poster");
        var message = new { content = "posted", nonce = "h1" };
        using var created = await http.PostAsJsonAsync("/api/rooms/http/messages", message);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("posted", (string?)(await alice.ExpectAsync("room"))["content"]);
        using var repeated = await http.PostAsJsonAsync("/api/rooms/http/messages", message);
        Assert.Equal(HttpStatusCode.OK, repeated.StatusCode);
        var ack = JsonNode.Parse(await repeated.Content.ReadAsStringAsync())!;
        Assert.Equal(("ack", "http", true), ((string?)ack["type"], (string?)ack["room"], (bool)ack["duplicate"]!));

        using var stranger = node.HttpClient("stranger");
        using var forbidden = await stranger.PostAsJsonAsync("/api/rooms/http/messages", message);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        foreach (var body in new[] { "", "{", "[]", "{}", """{"content":"x"}""", """{"content":"","nonce":"n"}""",
            """{"content":"x","nonce":"n"}x""" })
        {
            using var bad = await http.PostAsync("/api/rooms/http/messages", new StringContent(body));
            Assert.True(bad.StatusCode == HttpStatusCode.BadRequest, $"{body}: {bad.StatusCode}");
        }
    }

    [Fact]
    public async Task An_operator_disconnects_a_user_on_every_node()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var here = await one.ConnectAsync("kicked");
        await using var there = await other.ConnectAsync("kicked");
        using var user = one.HttpClient("kicked");
        Assert.Equal(HttpStatusCode.Forbidden, (await user.PostAsync("/api/admin/users/kicked/disconnect", null)).StatusCode);
        using var admin = one.HttpClient("root", "chat:admin");
        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsync("/api/admin/users/kicked/disconnect", null)).StatusCode);
        Assert.Equal(4003, await here.ExpectCloseAsync());
        Assert.Equal(4003, await there.ExpectCloseAsync());
    }

    [Fact]
    public async Task Read_cursors_reach_the_other_members()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("reader");
        await using var bob = await node.ConnectAsync("writer");
        await alice.JoinAsync("cursors");
        await bob.JoinAsync("cursors");
        await bob.SayAsync("cursors", "1");
        await bob.SayAsync("cursors", "2");
        await alice.SendAsync(new { type = "read", room = "cursors", seq = 1 });
        await alice.SendAsync(new { type = "read", room = "cursors", seq = 2 });
        Assert.Equal(("reader", 2), await CursorAsync(bob));
        await bob.SendAsync(new { type = "dm", to = "reader", content = "x", nonce = "x" });
        await bob.ExpectAsync("ack");
        await alice.SendAsync(new { type = "read", to = "writer", seq = 100 });
        Assert.Equal("reader", (string?)(await bob.ExpectAsync("read", frame => (string?)frame["to"] == "reader"))["from"]);
        Assert.Equal(1, (long)(await alice.ExpectAsync("read", frame => (string?)frame["to"] == "writer"))["seq"]!);
    }

    private Task<ConnectionNode> StartAsync() => ConnectionNode.StartAsync(redis.Server.ConnectionString);

    private static async Task<(string?, string?)> ErrorAsync(TestSocket socket)
    {
        var error = await socket.ExpectAsync("error");
        return ((string?)error["code"], (string?)error["nonce"]);
    }

    private static async Task<(string?, long)> CursorAsync(TestSocket socket)
    {
        var read = await socket.ExpectAsync("read");
        return ((string?)read["from"], (long)read["seq"]!);
    }
}
