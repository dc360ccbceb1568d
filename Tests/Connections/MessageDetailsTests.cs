using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

/// <summary>What a message carries beside its text, live and on replay.</summary>
[Trait("Needs", "Redis")]
public sealed class MessageDetailsTests(LogFixture redis) : IClassFixture<LogFixture>
{
    private const string Meta = """{"attachments":[{"url":"https://example.org/a.png","size":1.50}],"mentions":["not","these"],"meta":{"deep":"ü \" "}}""";

    [Fact]
    public async Task Live_frames_and_replays_carry_what_was_sent()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await using var alice = await one.ConnectAsync("alice");
        await using var bob = await other.ConnectAsync("bob");
        await alice.JoinAsync("details");
        await bob.JoinAsync("details");
        await alice.SayAsync("details", "first");
        await bob.ExpectAsync("room");

        await alice.SendTextAsync(
            "{\"type\":\"room\",\"room\":\"details\",\"content\":\"@bob\",\"nonce\":\"n\",\"replyTo\":1,\"mentions\":[\"bob\",\"carol\",\"bob\"],\"meta\":"
            + Meta.Replace("],", "],\r\n\t", StringComparison.Ordinal) + "}");

        AssertWhole(await bob.ExpectAsync("room"));
        await using var late = await other.ConnectAsync("late");
        await late.SendAsync(new { type = "join", room = "details", since = 1 });
        AssertWhole(await late.ExpectAsync("room"));

        await alice.SendAsync(new { type = "delete", room = "details", target = 2, nonce = "d" });
        await bob.ExpectAsync("delete");
        foreach (var node in new[] { other, await StartAsync() })
        {
            // From the ring of the one, and from the tail for the other.
            await using var later = await node.ConnectAsync("later");
            await later.SendAsync(new { type = "join", room = "details", since = 1 });
            var deleted = await later.ExpectAsync("room");
            Assert.Equal(("", true, 1), ((string?)deleted["content"], (bool?)deleted["deleted"], (int?)deleted["replyTo"]));
            Assert.False(deleted.ContainsKey("meta") || deleted.ContainsKey("mentions"), deleted.ToJsonString());
        }

        static void AssertWhole(JsonObject frame)
        {
            Assert.Equal((1, "@bob"), ((int)frame["replyTo"]!, (string?)frame["content"]));
            Assert.Equal(["bob", "carol"], frame["mentions"]!.AsArray().Select(user => (string?)user));
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Meta), frame["meta"]), frame["meta"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task A_reply_needs_an_event_of_its_own_conversation()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("replies");
        await alice.JoinAsync("elsewhere");
        for (var i = 1; i <= 3; i++)
        {
            await alice.SayAsync("elsewhere", $"m{i}");
        }

        await alice.SendAsync(new { type = "room", room = "replies", content = "x", nonce = "n1", replyTo = 1 });
        Assert.Equal(("not_found", "n1"), await RefusedAsync());
        await alice.SayAsync("replies", "first");
        await alice.SendAsync(new { type = "edit", room = "replies", target = 1, content = "y", nonce = "n2", replyTo = 2 });
        Assert.Equal(("not_found", "n2"), await RefusedAsync());
        // Any event counts, a reaction too.
        await alice.SendAsync(new { type = "react", room = "replies", target = 1, emoji = "👍", nonce = "n3" });
        await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == "n3");
        await alice.SendAsync(new { type = "room", room = "replies", content = "x", nonce = "n4", replyTo = 2 });
        Assert.Equal(3, (int)(await alice.ExpectAsync("ack", frame => (string?)frame["nonce"] == "n4"))["seq"]!);
        await alice.SendAsync(new { type = "dm", to = "replies-bob", content = "x", nonce = "n5", replyTo = 1 });
        Assert.Equal(("not_found", "n5"), await RefusedAsync());

        async Task<(string?, string?)> RefusedAsync()
        {
            var error = await alice.ExpectAsync("error");
            return ((string?)error["code"], (string?)error["nonce"]);
        }
    }

    [Fact]
    public async Task A_send_over_http_takes_the_same_fields()
    {
        await using var node = await StartAsync();
        await using var alice = await node.ConnectAsync("alice");
        await alice.JoinAsync("http-details");
        using var http = node.HttpClient("alice");
        const string address = "/api/rooms/http-details/messages";
        using var refused = await http.PostAsJsonAsync(address, new { content = "x", nonce = "h1", replyTo = 1 });
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        Assert.Equal("not_found", (string?)(await refused.Content.ReadFromJsonAsync<JsonObject>())!["code"]);
        using var body = new StringContent($$"""{"content":"x","nonce":"h2","mentions":["bob"],"meta":{{Meta}}}""", Encoding.UTF8, "application/json");
        using var accepted = await http.PostAsync(address, body);
        Assert.Equal(HttpStatusCode.Created, accepted.StatusCode);
        var frame = await alice.ExpectAsync("room");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Meta), frame["meta"]));
        Assert.Equal(["bob"], frame["mentions"]!.AsArray().Select(user => (string?)user));
    }

    private Task<ConnectionNode> StartAsync() => ConnectionNode.StartAsync(redis.Server.ConnectionString);
}
