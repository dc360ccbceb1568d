using System.Net;
using System.Net.WebSockets;
using System.Text;
using AspireChat.Gateway.Tunnels;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Gateway;

/// <summary>What holds whichever way sockets take through the gateway, and what only a tunnel has to get right.</summary>
public sealed class TunnelTests
{
    private const int Messages = 1_500;
    private const int MessageBytes = 4_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_reads_slowly_gets_every_byte(bool tunnels)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Setting(tunnels));
        var (socket, _) = await gateway.ConnectAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));

        // Far more than the sockets on the way hold, read in small pieces: on each of them writing has to wait for reading.
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                await socket.SendAsync(Message(i), WebSocketMessageType.Binary, true, patience.Token);
            }
        }, patience.Token);
        for (var i = 0; i < Messages; i++)
        {
            Assert.Equal(Message(i), await ReadAsync(socket, patience.Token));
        }

        await sending;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handshake_that_the_service_refuses_is_answered_in_its_words(bool tunnels)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Setting(tunnels));
        backend.Refusal = "no room";

        var response = await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("no room", await response.Content.ReadAsStringAsync());
        Assert.Equal("7", response.Headers.RetryAfter!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_whose_service_is_killed_learns_it(bool tunnels)
    {
        var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Setting(tunnels));
        var (socket, _) = await gateway.ConnectAsync();

        await backend.DisposeAsync();

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAsync<WebSocketException>(async () =>
        {
            while ((await socket.ReceiveAsync(new byte[100], patience.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
            throw new WebSocketException("closed in order");
        });
    }

    [Fact]
    public async Task A_client_that_vanishes_ends_its_socket_at_the_service()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        var (socket, _) = await gateway.ConnectAsync();

        socket.Abort();

        await Eventually.IsTrueAsync(() => backend.Sockets == 0, "the service sees that the client is gone");
    }

    [Theory]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A: b: c\r\n\r\nrest", 101, "rest")]
    [InlineData("HTTP/1.1 503\r\n\r\n", 503, "")]
    [InlineData("HTTP/1.1 abc\r\n\r\n", 0, "")]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n", 0, "")]
    [InlineData("HTTP/1.1 101 without an end", 0, "")]
    public void An_answer_is_read_for_what_it_is(string text, int status, string rest)
    {
        var answer = TunnelAnswer.Parse(Encoding.ASCII.GetBytes(text));

        Assert.Equal(status, answer.Status);
        Assert.Equal(rest, Encoding.ASCII.GetString(answer.Rest.Span));
        if (text.Contains("X-A", StringComparison.Ordinal))
        {
            Assert.Contains(new("X-A", "b: c"), answer.Headers);
        }
    }

    private static Dictionary<string, string?> Setting(bool tunnels) => new() { ["Gateway:Tunnels"] = tunnels ? "true" : "false" };

    private static byte[] Message(int number)
    {
        var message = new byte[MessageBytes];
        new Random(number).NextBytes(message);
        return message;
    }

    private static async Task<byte[]> ReadAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var (message, length) = (new byte[MessageBytes], 0);
        while (true)
        {
            var part = await socket.ReceiveAsync(message.AsMemory(length, Math.Min(500, message.Length - length)), cancellationToken);
            length += part.Count;
            if (part.EndOfMessage)
            {
                return message[..length];
            }
        }
    }
}
