using System.Net.WebSockets;
using System.Text;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.Tests.Acceptance;

[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class RefusalTests(ChatSystem system)
{
    [Theory]
    [InlineData("hello", ErrorCodes.BadRequest)]
    [InlineData("[1]", ErrorCodes.BadRequest)]
    [InlineData("{\"type\":\"dance\"}", ErrorCodes.UnknownType)]
    [InlineData("{\"type\":\"join\"}", ErrorCodes.BadRequest)]
    [InlineData("{\"type\":\"room\",\"room\":\"never-joined\",\"content\":\"x\",\"nonce\":\"n\"}", ErrorCodes.NotJoined)]
    [InlineData("{\"type\":\"dm\",\"to\":\"..\",\"content\":\"x\",\"nonce\":\"n\"}", ErrorCodes.BadRequest)]
    [InlineData("{\"type\":\"dm\",\"to\":\"bob\",\"content\":\"a\\u0000b\",\"nonce\":\"n\"}", ErrorCodes.BadRequest)]
    public async Task A_bad_frame_is_answered_and_the_socket_stays_usable(string text, string code)
    {
        await using var socket = await system.ConnectAsync(ChatSystem.Unique("alice"));

        await socket.SendTextAsync(Encoding.UTF8.GetBytes(text));

        var error = await socket.ExpectAsync("error");
        Assert.Equal(code, (string?)error["code"]);
        Assert.NotEmpty((string)error["message"]!);
        await socket.SettleAsync();
    }

    [Theory]
    [InlineData(8_001)]
    [InlineData(40_000)]
    public async Task Oversized_content_is_refused_and_the_longest_allowed_is_delivered(int length)
    {
        var room = ChatSystem.Unique("room");
        await using var socket = await system.ConnectAsync(ChatSystem.Unique("alice"));
        await socket.JoinAsync(room);

        await socket.SendAsync(new { type = "room", room, content = new string('x', length), nonce = "long" });
        Assert.Equal(ErrorCodes.TooLarge, (string?)(await socket.ExpectAsync("error"))["code"]);

        await socket.SayAsync(room, new string('y', 8_000));
        Assert.Equal(8_000, ((string)(await socket.ExpectAsync("room"))["content"]!).Length);
    }

    [Fact]
    public async Task Sending_too_fast_is_refused_for_that_user_only_and_says_when_to_try_again()
    {
        var room = ChatSystem.Unique("room");
        await using var fast = await system.ConnectAsync(ChatSystem.Unique("fast"));
        await using var calm = await system.ConnectAsync(ChatSystem.Unique("calm"));
        await fast.JoinAsync(room);
        await calm.JoinAsync(room);

        for (var i = 0; i < 100; i++)
        {
            await fast.SendAsync(new { type = "room", room, content = $"{i}", nonce = $"n{i}" });
        }

        var error = await fast.ExpectAsync("error");

        Assert.Equal(ErrorCodes.RateLimited, (string?)error["code"]);
        Assert.True((int)error["retryAfter"]! > 0);
        Assert.StartsWith("n", (string?)error["nonce"]);
        await calm.SayAsync(room, "unhurried");
    }

    [Fact]
    public async Task A_binary_message_closes_the_socket_with_1003()
    {
        await using var socket = await system.ConnectAsync(ChatSystem.Unique("alice"));

        await socket.SendTextAsync("{}"u8.ToArray(), WebSocketMessageType.Binary);

        Assert.Equal(CloseStatus.UnsupportedData, await socket.ExpectCloseAsync());
    }

    [Fact]
    public async Task A_token_that_expires_while_connected_closes_the_socket_with_4002()
    {
        var alice = ChatSystem.Unique("alice");
        await using var socket = await ChatSocket.ConnectAsync(system.Gateway, alice, await system.TokenAsync(alice, expiresIn: 2));

        Assert.Equal(CloseCodes.TokenExpired, await socket.ExpectCloseAsync());
    }

    [Theory]
    [InlineData("/api/rooms/lobby/messages?limit=-1", 400)]
    [InlineData("/api/rooms/lobby/messages?limit=ten", 400)]
    [InlineData("/api/rooms/lobby/messages?before=1&after=1", 400)]
    [InlineData("/api/rooms/lobby/messages?before=-4", 400)]
    [InlineData("/api/rooms/lobby/messages?after=garbage", 400)]
    [InlineData("/api/nothing", 404)]
    public async Task A_bad_request_is_a_problem_with_its_status(string path, int expected)
    {
        var (status, body) = await system.CallAsync(ChatSystem.Unique("alice"), HttpMethod.Get, path);

        Assert.Equal(expected, status);
        Assert.Equal(expected, (int?)body!["status"]);
    }

    [Fact]
    public async Task Sending_over_HTTP_needs_membership_and_shares_its_nonces_with_the_socket()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var socket = await system.ConnectAsync(alice);
        var path = $"/api/rooms/{room}/messages";

        var (nowhere, _) = await system.CallAsync(alice, HttpMethod.Post, path, new { content = "x", nonce = "n" });
        await socket.JoinAsync(room);
        var (stranger, _) = await system.CallAsync(ChatSystem.Unique("bob"), HttpMethod.Post, path, new { content = "x", nonce = "n" });
        var (created, ack) = await system.CallAsync(alice, HttpMethod.Post, path, new { content = "x", nonce = "n" });
        var repeated = await socket.SayAsync(room, "y", "n");
        var (again, _) = await system.CallAsync(alice, HttpMethod.Post, path, new { content = "z", nonce = "n" });

        Assert.Equal((404, 403, 201, 200), (nowhere, stranger, created, again));
        Assert.Equal(((string?)ack!["id"], true), ((string?)repeated["id"], (bool?)repeated["duplicate"]));
    }

    [Fact]
    public async Task An_operator_disconnects_a_user_on_every_node()
    {
        var alice = ChatSystem.Unique("alice");
        await using var one = await system.ConnectAsync(alice);
        await using var other = await system.ConnectElsewhereAsync(alice, one.Node);

        var (refused, _) = await system.CallAsync(alice, HttpMethod.Post, $"/api/admin/users/{alice}/disconnect");
        var (done, _) = await system.CallAsync("operator", HttpMethod.Post, $"/api/admin/users/{alice}/disconnect", scope: "chat:admin");

        Assert.Equal(403, refused);
        Assert.InRange(done, 200, 204);
        Assert.Equal(CloseCodes.Forbidden, await one.ExpectCloseAsync());
        Assert.Equal(CloseCodes.Forbidden, await other.ExpectCloseAsync());
    }
}
