using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using AspireChat.ConnectionService.Connections;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using AspireChat.Tests.WebSockets;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.Connections;

[Trait("Needs", "Redis")]
public sealed class LimitTests(LogFixture redis) : IClassFixture<LogFixture>
{
    [Theory]
    [InlineData("hello", "bad_request")]
    [InlineData("{\"type\":\"dance\"}", "unknown_type")]
    [InlineData("{\"type\":\"join\"}", "bad_request")]
    [InlineData("{\"type\":\"room\",\"room\":\"limits-stranger\",\"content\":\"x\",\"nonce\":\"n\"}", "not_joined")]
    [InlineData("", "bad_request")]
    public async Task A_bad_frame_is_answered_and_the_socket_stays(string text, string code)
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        await socket.SendTextAsync(text);
        Assert.Equal(code, (string?)(await socket.ExpectAsync("error"))["code"]);
        await socket.SettleAsync();
    }

    [Fact]
    public async Task A_frame_up_to_the_limit_is_read_and_a_longer_one_answered_too_large()
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        await socket.SendTextAsync(Ping(32 * 1024));
        Assert.Equal("p", (string?)(await socket.ExpectAsync("pong"))["ref"]);
        await socket.SendTextAsync(Ping(32 * 1024 + 1));
        Assert.Equal("too_large", (string?)(await socket.ExpectAsync("error"))["code"]);
        await socket.SendTextAsync(Ping(200_000));
        Assert.Equal("too_large", (string?)(await socket.ExpectAsync("error"))["code"]);
        await socket.SettleAsync();
    }

    [Theory]
    [InlineData("POST /ws HTTP/1.1")]
    [InlineData("GET /ws HTTP/1.0")]
    public async Task A_handshake_that_is_not_quite_one_is_refused_by_a_node_that_is_reached_without_the_gateway(string line)
    {
        await using var node = await StartAsync();
        var answer = await RawRequest.SendAsync(
            node.Address,
            $"{line}\r\nHost: {node.Address.Authority}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nContent-Length: 0\r\n" +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            $"Authorization: Bearer {ConnectionNode.Token("alice")}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 4", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_far_too_long_closes_with_1009()
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        await socket.SendTextAsync(Ping(9 * 32 * 1024));
        Assert.Equal(1009, await socket.ExpectCloseAsync());
    }

    [Fact]
    public async Task A_binary_message_closes_with_1003()
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        await socket.SendAsync("{\"type\":\"ping\"}"u8.ToArray(), WebSocketMessageType.Binary);
        Assert.Equal(1003, await socket.ExpectCloseAsync());
    }

    [Fact]
    public async Task Invalid_utf8_closes_with_1007()
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        await socket.SendAsync([(byte)'"', 0xC3, 0x28, (byte)'"'], WebSocketMessageType.Text);
        Assert.Equal(1007, await socket.ExpectCloseAsync());
    }

    [Fact]
    public async Task Endless_bad_frames_close_with_4009()
    {
        await using var node = await StartAsync("Sockets:RefusedBurst=50");
        await using var socket = await node.ConnectAsync("alice");
        for (var i = 0; i < 200; i++)
        {
            await socket.SendTextAsync("no");
        }

        Assert.Equal(4009, await socket.ExpectCloseAsync());
    }

    [Fact]
    public async Task Every_invalid_frame_of_the_golden_set_leaves_the_socket_usable()
    {
        var golden = JsonNode.Parse(await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "Golden", "frames.json")))!;
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        foreach (var invalid in golden["invalid"]!.AsArray())
        {
            var text = (string?)invalid!["text"] ?? string.Concat(invalid["parts"]!.AsArray().Select(part =>
                part is JsonArray repeated ? string.Concat(Enumerable.Repeat((string)repeated[0]!, (int)repeated[1]!)) : (string)part!));
            await socket.SendTextAsync(text);
            var error = await socket.ExpectAsync("error");
            Assert.True((string?)error["code"] == (string?)invalid["error"]!["code"], $"{invalid["name"]}: {error}");
        }
        await socket.SettleAsync();
    }

    [Fact]
    public async Task Past_the_burst_events_are_refused_for_the_user_not_for_the_connection()
    {
        await using var node = await StartAsync("Sockets:EventsPerSecond=0.5", "Sockets:EventBurst=5");
        await using var one = await node.ConnectAsync("flooder");
        await using var other = await node.ConnectAsync("flooder");
        await one.JoinAsync("limits-rate");
        for (var i = 1; i <= 5; i++)
        {
            await one.SayAsync("limits-rate", "m", $"r{i}");
        }

        await other.SendAsync(new { type = "dm", to = "bob", content = "x", nonce = "r6" });
        var error = await other.ExpectAsync("error");
        Assert.Equal(("rate_limited", "r6"), ((string?)error["code"], (string?)error["nonce"]));
        Assert.InRange((int)error["retryAfter"]!, 1, 2_000);

        using var http = node.HttpClient("flooder");
        using var refused = await http.PostAsync("/api/rooms/limits-rate/messages", new StringContent("""{"content":"x","nonce":"r7"}"""));
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);

        await using var bob = await node.ConnectAsync("bob");
        await bob.JoinAsync("limits-rate");
        await bob.SayAsync("limits-rate", "not my limit");
    }

    [Fact]
    public async Task A_repeated_nonce_does_not_count()
    {
        await using var node = await StartAsync("Sockets:EventsPerSecond=0.1", "Sockets:EventBurst=3");
        await using var socket = await node.ConnectAsync("repeats");
        await socket.JoinAsync("limits-repeats");
        await socket.SayAsync("limits-repeats", "m", "same");
        for (var i = 0; i < 10; i++)
        {
            Assert.True((bool)(await socket.SayAsync("limits-repeats", "m", "same"))["duplicate"]!);
        }

        await socket.SayAsync("limits-repeats", "m", "two");
        await socket.SayAsync("limits-repeats", "m", "three");
    }

    [Fact]
    public async Task Repeats_without_end_are_refused_in_the_end()
    {
        await using var node = await StartAsync("Sockets:EventsPerSecond=0.1", "Sockets:EventBurst=2", "Budgets:AttemptsPerSecond=0.1", "Budgets:AttemptBurst=5");
        await using var socket = await node.ConnectAsync("repeats-flooder");
        await socket.JoinAsync("limits-repeats");
        for (var i = 0; i < 5; i++)
        {
            await socket.SayAsync("limits-repeats", "m", "again");
        }

        await socket.SendAsync(new { type = "room", room = "limits-repeats", content = "m", nonce = "again" });
        Assert.Equal("rate_limited", (string?)(await socket.ExpectAsync("error"))["code"]);
    }

    [Fact]
    public async Task What_a_client_that_was_read_slowly_has_left_behind_is_not_worked_off()
    {
        await using var node = await StartAsync("Sockets:FramesPerSecond=10", "Sockets:FrameBurst=10", "Budgets:FramesPerSecond=10", "Budgets:FrameBurst=10",
            "Budgets:SignalBurst=100000");
        await using (var flooder = await ConnectionNode.ConnectRawAsync(node.Address, "ghost"))
        {
            for (var i = 0; i < 600; i++)
            {
                await flooder.SendAsync(ClientFrames.Text("""{"type":"typing","to":"bob"}"""));
            }
        }
        // 600 frames would take a minute.
        await Eventually.IsTrueAsync(() => node.Services.GetRequiredService<OpenSockets>().Count == 0, "the connection ends");
        Assert.InRange(node.TypingNotices, 1, 400);
    }

    [Fact]
    public async Task Typing_notices_of_a_user_have_a_bound_over_all_connections()
    {
        await using var node = await StartAsync("Budgets:SignalsPerSecond=0.1", "Budgets:SignalBurst=5");
        await using var one = await node.ConnectAsync("typist");
        await using var other = await node.ConnectAsync("typist");
        foreach (var socket in new[] { one, other })
        {
            for (var i = 0; i < 20; i++)
            {
                await socket.SendAsync(new { type = "typing", to = "bob", active = i % 2 == 0 });
            }
            await socket.SettleAsync();
        }
        Assert.Equal(5, node.TypingNotices);
    }

    [Fact]
    public async Task Too_many_rooms_are_refused_and_a_left_one_makes_place()
    {
        await using var node = await StartAsync("Sockets:RoomsPerConnection=2");
        await using var socket = await node.ConnectAsync("alice");
        await socket.JoinAsync("limits-1");
        await socket.JoinAsync("limits-2");
        await socket.SendAsync(new { type = "join", room = "limits-3", @ref = "third" });
        var error = await socket.ExpectAsync("error");
        Assert.Equal(("limit", "third"), ((string?)error["code"], (string?)error["ref"]));
        await socket.JoinAsync("limits-2");
        await socket.SendAsync(new { type = "leave", room = "limits-1" });
        await socket.ExpectAsync("left");
        await socket.JoinAsync("limits-3");
    }

    [Fact]
    public async Task Too_many_connections_of_a_user_are_told_and_closed()
    {
        await using var node = await StartAsync("Sockets:ConnectionsPerUser=2");
        await using var first = await node.ConnectAsync("alice");
        var second = await node.ConnectAsync("alice");
        await using var third = await TestSocket.OpenAsync(node.Address, ConnectionNode.Token("alice"));
        var error = await third.ReadAsync();
        Assert.Equal(("error", "limit"), ((string?)error!["type"], (string?)error["code"]));
        Assert.Equal(1013, await third.ExpectCloseAsync());

        await second.DisposeAsync();
        await first.SettleAsync();
        for (var attempt = 1; ; attempt++)
        {
            await using var again = await TestSocket.OpenAsync(node.Address, ConnectionNode.Token("alice"));
            if ((string?)(await again.ReadAsync())!["type"] == "welcome")
            {
                break;
            }

            Assert.True(attempt < 200, "the ended connection still counts");
        }
    }

    [Fact]
    public async Task A_token_that_ends_closes_with_4002_unless_it_is_replaced()
    {
        await using var node = await StartAsync();
        // Long enough for a busy machine to renew the first in time.
        await using var renewed = await node.ConnectAsync("renewer", TimeSpan.FromSeconds(8));
        await using var expiring = await node.ConnectAsync("expirer", TimeSpan.FromSeconds(8));
        await renewed.SendAsync(new { type = "auth", token = ConnectionNode.Token("somebody"), @ref = "a" });
        Assert.Equal("forbidden", (string?)(await renewed.ExpectAsync("error"))["code"]);
        await renewed.SendAsync(new { type = "auth", token = "garbage" });
        Assert.Equal("forbidden", (string?)(await renewed.ExpectAsync("error"))["code"]);
        await renewed.SendAsync(new { type = "auth", token = ConnectionNode.Token("renewer") });
        Assert.NotNull((await renewed.ExpectAsync("authenticated"))["expires"]);
        Assert.Equal(4002, await expiring.ExpectCloseAsync());
        await renewed.SettleAsync();
    }

    [Fact]
    public async Task A_closing_client_is_answered()
    {
        await using var node = await StartAsync();
        await using var socket = await node.ConnectAsync("alice");
        Assert.Equal(1000, await socket.CloseAsync());
    }

    [Fact]
    public async Task A_stopping_node_says_when_to_come_back_and_closes_with_1012()
    {
        await using var node = await StartAsync("Sockets:ReconnectSpread=00:00:00.500");
        await using var alice = await node.ConnectAsync("alice");
        await using var bob = await node.ConnectAsync("bob");
        var stopped = node.StopAsync();
        foreach (var socket in new[] { alice, bob })
        {
            Assert.InRange((int)(await socket.ExpectAsync("reconnect"))["after"]!, 0, 500);
            Assert.Equal(1012, await socket.ExpectCloseAsync());
        }
        await stopped;
    }

    [Fact]
    public async Task A_stopping_node_serves_those_whose_turn_has_not_come()
    {
        await using var node = await StartAsync("Sockets:DrainTime=00:00:20", "Sockets:ReconnectSpread=00:00:00");
        var sockets = new List<TestSocket>();
        for (var i = 0; i < 10; i++)
        {
            sockets.Add(await node.ConnectAsync($"user{i}"));
        }

        var stopped = node.StopAsync();

        foreach (var socket in sockets)
        {
            Assert.Equal(0, (int)(await socket.ExpectAsync("reconnect"))["after"]!);
            Assert.Equal(1012, await socket.ExpectCloseAsync());
            await socket.DisposeAsync();
        }
        await stopped;
    }

    private Task<ConnectionNode> StartAsync(params string[] settings) => ConnectionNode.StartAsync(redis.Server.ConnectionString, settings);

    /// <summary>A ping of exactly so many bytes.</summary>
    private static string Ping(int bytes)
    {
        const string frame = """{"type":"ping","ref":"p","pad":""}""";
        return new StringBuilder(frame).Insert(frame.Length - 2, new string('x', bytes - frame.Length)).ToString();
    }
}
