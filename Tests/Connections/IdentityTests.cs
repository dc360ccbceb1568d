using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Connections;

/// <summary>Users on a node, whatever their ids, and how they are shown.</summary>
[Trait("Needs", "Redis")]
public sealed class IdentityTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    public static TheoryData<string, string> Pairs => new()
    {
        { "auth0|64f0c2", "a.b+c@example.com" },
        { "urn:x:y~1=2", "bob" },
        { ":", ":+" },
        { "urn:a", "urn:a:b" },
        { new string('x', 128), "x:" + new string('y', 126) },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Users_of_wide_ids_send_edit_read_and_resume(string one, string other)
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var first = await node.ConnectAsync(one);
        await using var second = await node.ConnectAsync(other);

        var seq = (long)(await DirectAsync(first, other, "hello"))["seq"]!;
        var heard = await second.ExpectAsync("dm", frame => (long)frame["seq"]! == seq);
        Assert.Equal((one, other), ((string)heard["from"]!, (string)heard["to"]!));
        await second.SendAsync(new { type = "read", to = one, seq });
        var read = await first.ExpectAsync("read", frame => (string?)frame["from"] == other);
        Assert.Equal((other, seq), ((string)read["to"]!, (long)read["seq"]!));

        var edit = Guid.NewGuid().ToString("N");
        await first.SendAsync(new { type = "edit", to = other, target = seq, content = "better", nonce = edit });
        await first.ExpectAsync("ack", frame => (string?)frame["nonce"] == edit);
        await second.SendAsync(new { type = "edit", to = one, target = seq, content = "mine", nonce = "not-mine-" + seq });
        Assert.Equal(ErrorCodes.Forbidden, (string?)(await second.ExpectAsync("error"))["code"]);
        await second.SendAsync(new { type = "react", to = one, target = seq, emoji = "👍", nonce = "react-" + seq });
        Assert.Equal(other, (string?)(await first.ExpectAsync("react"))["from"]);

        await using var again = await node.ConnectAsync(other);
        await again.SendAsync(new { type = "resume", conversations = new[] { new { to = one, since = seq - 1 } }, @ref = "r" });
        Assert.Equal(seq, (long)(await again.ExpectAsync("dm"))["seq"]!);
        Assert.True((bool)(await again.ExpectAsync("resumed", frame => (string?)frame["to"] == one))["complete"]!);

        var room = "wide-" + Guid.NewGuid().ToString("N");
        await first.JoinAsync(room);
        var joined = await second.JoinAsync(room);
        Assert.Contains(other, joined["members"]!.AsArray().Select(user => (string?)user));
        await first.SayAsync(room, "to all");
        Assert.Equal(one, (string?)(await second.ExpectAsync("room"))["from"]);
        using var http = node.HttpClient(one);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(http, room, "by HTTP")).StatusCode);
        using var stranger = node.HttpClient("no-member");
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(stranger, room, "not by me")).StatusCode);
    }

    [Theory]
    [InlineData("""{"type":"dm","to":"system","content":"x","nonce":"n"}""")]
    [InlineData("""{"type":"typing","to":"system"}""")]
    [InlineData("""{"type":"dm","to":"a/b","content":"x","nonce":"n"}""")]
    [InlineData("""{"type":"join","room":"auth0|64f0c2"}""")]
    public async Task What_is_no_id_is_refused(string frame)
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var alice = await node.ConnectAsync("alice");

        await alice.SendTextAsync(frame);

        Assert.Equal(ErrorCodes.BadRequest, (string?)(await alice.ExpectAsync("error"))["code"]);
        // What the server wrote can be resumed like any direct conversation.
        await alice.SendAsync(new { type = "resume", conversations = new[] { new { to = "system", since = 0 } } });
        await alice.ExpectAsync("resumed", resumed => (string?)resumed["to"] == "system");
    }

    [Fact]
    public async Task Live_events_carry_the_senders_name_as_the_latest_of_token_and_server_says()
    {
        var (room, user) = ("names-" + Guid.NewGuid().ToString("N"), "shown:" + Guid.NewGuid().ToString("N"));
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var listener = await node.ConnectAsync("listener");
        await using var sender = await node.ConnectAsync(user, "Alice Ä");
        await listener.JoinAsync(room);
        await sender.JoinAsync(room);
        async Task<string?> SaidAsync(string content)
        {
            await sender.SayAsync(room, content);
            return (string?)(await listener.ExpectAsync("room", frame => (string?)frame["content"] == content))["name"];
        }

        Assert.Equal("Alice Ä", await SaidAsync("one"));

        using var admin = node.HttpClient("root", "chat:admin");
        await SetAsync(admin, user, new { name = "By the server" });
        await Eventually.IsTrueAsync(async () => await SaidAsync(Guid.NewGuid().ToString()) == "By the server", "the server's name is told");

        await sender.SendAsync(new { type = "auth", token = ConnectionNode.Token(user, more: ("name", "By auth")) });
        await sender.ExpectAsync("authenticated");
        Assert.Equal("By auth", await SaidAsync("three"));

        // A token that says nothing of it leaves the profile as it is.
        await using var plain = await node.ConnectAsync(user);
        await plain.JoinAsync(room);
        await plain.SayAsync(room, "four");
        Assert.Equal("By auth", (string?)(await listener.ExpectAsync("room", frame => (string?)frame["content"] == "four"))["name"]);
        using var http = node.HttpClient(user);
        await PostAsync(http, room, "five");
        Assert.Equal("By auth", (string?)(await listener.ExpectAsync("room", frame => (string?)frame["content"] == "five"))["name"]);

        await SetAsync(admin, user, new { });
        await Eventually.IsTrueAsync(async () => await SaidAsync(Guid.NewGuid().ToString()) is null, "the name is gone");
    }

    [Fact]
    public async Task A_changed_profile_is_told_to_members_at_most_once_a_second_and_as_it_is_then()
    {
        var (room, user) = ("told-" + Guid.NewGuid().ToString("N"), "told|" + Guid.NewGuid().ToString("N"));
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        await using var listener = await node.ConnectAsync("listener");
        await using var changing = await node.ConnectAsync(user, "Zero");
        await listener.JoinAsync(room);
        await changing.JoinAsync(room);
        // Presence is off in these tests: who is online in the room is written by hand.
        await fixture.Database.SetAddAsync(RedisKeys.RoomOnline(room), ["listener", user]);
        using var admin = node.HttpClient("root", "chat:admin");

        await SetAsync(admin, user, new { name = "One", picture = "https://example.com/1.png" });
        var told = await listener.ExpectAsync("profile");
        Assert.Equal((user, "One", "https://example.com/1.png"), ((string)told["user"]!, (string)told["name"]!, (string)told["picture"]!));

        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 20; i++)
        {
            await SetAsync(admin, user, new { name = $"Many {i}" });
        }
        await listener.ExpectAsync("profile", frame => (string?)frame["name"] == "Many 19");

        var between = (await listener.SettleAsync()).Count(frame => (string?)frame["type"] == "profile");
        Assert.InRange(between, 0, (int)TimeProvider.System.GetElapsedTime(started).TotalSeconds + 1);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"name":7}""")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"a\u0000b"}""")]
    [InlineData("""{"picture":"http://example.com/a.png"}""")]
    [InlineData("""{"picture":"https://u:p@example.com/"}""")]
    public async Task A_bad_profile_of_the_server_is_refused(string body)
    {
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        using var admin = node.HttpClient("root", "chat:admin");
        using var other = node.HttpClient("mallory");
        StringContent Content() => new(body, null, "application/json");

        Assert.Equal(HttpStatusCode.BadRequest, (await admin.PutAsync("/api/admin/users/alice", Content())).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.PutAsync("/api/admin/users/system", new StringContent("{}"))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await other.PutAsync("/api/admin/users/alice", new StringContent("{}"))).StatusCode);
    }

    [Fact]
    public async Task A_new_user_is_noted_in_the_log_once_and_each_change_of_a_profile_is()
    {
        var user = "noted:" + Guid.NewGuid().ToString("N");
        var own = ConversationKey.Own(user);
        await using var node = await ConnectionNode.StartAsync(fixture.Server.ConnectionString);
        async Task<string[]> RecordsAsync() =>
        [
            .. (await fixture.Database.StreamRangeAsync(RedisKeys.Log(own.Partition)))
                .Where(entry => entry[LogFields.Conversation] == own.Value).Select(entry => (string)entry[LogFields.Record]!),
        ];

        await using var one = await node.ConnectAsync(user);
        await using var two = await node.ConnectAsync(user);
        await using var three = await node.ConnectAsync(user, "Alice \"A\"");
        await using var four = await node.ConnectAsync(user, "Alice \"A\"");

        var records = await RecordsAsync();
        Assert.Equal(2, records.Length);
        Assert.Null(JsonNode.Parse(records[0])!["profile"]);
        Assert.Equal("Alice \"A\"", (string?)JsonNode.Parse(records[1])!["profile"]!["name"]);
    }

    private static async Task<JsonObject> DirectAsync(TestSocket socket, string to, string content)
    {
        var nonce = Guid.NewGuid().ToString("N");
        await socket.SendAsync(new { type = "dm", to, content, nonce });
        return await socket.ExpectAsync("ack", frame => (string?)frame["nonce"] == nonce);
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string room, string content) =>
        http.PostAsJsonAsync($"/api/rooms/{room}/messages", new { content, nonce = Guid.NewGuid().ToString("N") });

    private static async Task SetAsync(HttpClient admin, string user, object profile)
    {
        using var answer = await admin.PutAsJsonAsync($"/api/admin/users/{Uri.EscapeDataString(user)}", profile);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
