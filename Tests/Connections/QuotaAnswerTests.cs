using AspireChat.Tests.Log;

namespace AspireChat.Tests.Connections;

/// <summary>What a client is told when it keeps or begins more than it may.</summary>
[Trait("Needs", "Redis")]
public sealed class QuotaAnswerTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task What_would_stay_beyond_its_bound_is_answered_limit_and_the_connection_goes_on()
    {
        await using var node = await StartAsync("Log:RoomsPerUser=2", "Log:EditsPerMessage=1", "Log:EmojisPerMessage=1");
        await using var socket = await node.ConnectAsync("collector");
        await socket.JoinAsync("limits-kept-1");
        await socket.JoinAsync("limits-kept-2");
        await socket.SendAsync(new { type = "join", room = "limits-kept-3", @ref = "third" });
        var refused = await socket.ExpectAsync("error");
        Assert.Equal(("limit", "third"), ((string?)refused["code"], (string?)refused["ref"]));

        var target = (long)(await socket.SayAsync("limits-kept-1", "message"))["seq"]!;
        foreach (var (type, content, emoji) in new[] { ("edit", "changed", (string?)null), ("react", null, "+") })
        {
            await socket.SendAsync(new { type, room = "limits-kept-1", target, content, emoji, nonce = $"{type}-1" });
            await socket.ExpectAsync("ack");
            await socket.SendAsync(new { type, room = "limits-kept-1", target, content, emoji = emoji is null ? null : "-", nonce = $"{type}-2" });
            var error = await socket.ExpectAsync("error");
            Assert.Equal(("limit", $"{type}-2"), ((string?)error["code"], (string?)error["nonce"]));
        }
        await socket.SettleAsync();
    }

    [Fact]
    public async Task A_room_that_is_full_is_answered_limit()
    {
        await using var node = await StartAsync("Log:MembersPerRoom=1");
        await using var first = await node.ConnectAsync("first");
        await first.JoinAsync("limits-full");
        await using var second = await node.ConnectAsync("second");
        await second.SendAsync(new { type = "join", room = "limits-full", @ref = "late" });
        var refused = await second.ExpectAsync("error");
        Assert.Equal(("limit", "late"), ((string?)refused["code"], (string?)refused["ref"]));
        await second.JoinAsync("limits-not-full");
    }

    [Fact]
    public async Task A_direct_conversation_too_many_is_answered_limit_and_those_that_have_begun_go_on()
    {
        await using var node = await StartAsync("Log:DirectsBegunPerHour=2");
        await using var socket = await node.ConnectAsync("limits-writer");
        var code = "";
        for (var i = 1; i <= 3; i++)
        {
            await socket.SendAsync(new { type = "dm", to = $"limits-reader-{i}", content = "x", nonce = $"d{i}" });
            var answer = await socket.ExpectAnyAsync("ack", "error");
            Assert.Equal($"d{i}", (string?)answer["nonce"]);
            code = (string?)answer["code"] ?? "";
            Assert.True(i == 3 || code.Length == 0, code);
            Assert.True(i < 3 || (int)answer["retryAfter"]! > 3_000_000, answer.ToJsonString());
        }

        Assert.Equal("limit", code);
        // Another connection, which has to ask first.
        await using var other = await node.ConnectAsync("limits-writer");
        foreach (var to in new[] { "limits-reader-1", "limits-reader-2" })
        {
            await other.SendAsync(new { type = "dm", to, content = "y", nonce = $"again-{to}" });
            await other.ExpectAsync("ack", frame => (string?)frame["nonce"] == $"again-{to}");
        }

        await using var reader = await node.ConnectAsync("limits-reader-3");
        await reader.SendAsync(new { type = "dm", to = "limits-writer", content = "z", nonce = "answer" });
        await reader.ExpectAsync("ack");
        await socket.SendAsync(new { type = "dm", to = "limits-reader-3", content = "now it has begun", nonce = "d4" });
        await socket.ExpectAsync("ack", frame => (string?)frame["nonce"] == "d4");
    }

    [Fact]
    public async Task The_first_messages_to_a_user_keep_their_order()
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("limits-hasty");
        for (var i = 0; i < 20; i++)
        {
            await socket.SendAsync(new { type = "dm", to = "limits-patient", content = "x", nonce = $"o{i}" });
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal((long)i + 1, (long)(await socket.ExpectAsync("ack", frame => (string?)frame["nonce"] == $"o{i}"))["seq"]!);
        }
    }

    [Fact]
    public async Task Who_wrote_too_much_in_a_day_is_answered_limit_until_its_end_and_may_still_delete()
    {
        await using var node = await StartAsync("Log:BytesPerDay=1024", "Sockets:EventBurst=1000");
        await using var socket = await node.ConnectAsync("limits-prolific");
        await socket.JoinAsync("limits-written");
        var content = new string('x', 8_000);
        var target = (long)(await socket.SayAsync("limits-written", content))["seq"]!;
        var sent = 1;
        for (var error = (string?)null; error is null; sent++)
        {
            Assert.InRange(sent, 1, 100);
            await socket.SendAsync(new { type = "room", room = "limits-written", content, nonce = $"w{sent}" });
            var answer = await socket.ExpectAnyAsync("ack", "error");
            error = (string?)answer["code"];
            Assert.True(error is null || (error == "limit" && (int)answer["retryAfter"]! > 80_000_000), answer.ToJsonString());
        }

        Assert.InRange(sent, 60, 100);
        using var http = node.HttpClient("limits-prolific");
        using var refused = await http.PostAsync("/api/rooms/limits-written/messages", new StringContent("""{"content":"x","nonce":"post"}"""));
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.Contains("limit", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await socket.SendAsync(new { type = "delete", room = "limits-written", target, nonce = "gone" });
        await socket.ExpectAsync("ack", frame => (string?)frame["nonce"] == "gone");

        await using var bob = await node.ConnectAsync("limits-bob");
        await bob.JoinAsync("limits-written");
        await bob.SayAsync("limits-written", content);
    }

    private Task<ConnectionNode> StartAsync(params string[] settings) => ConnectionNode.StartAsync(redis.Server.ConnectionString, settings);
}
