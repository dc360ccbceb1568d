using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Gateway;

public sealed class SocketTests
{
    [Fact]
    public async Task A_request_that_is_no_handshake_is_told_to_upgrade()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var response = await gateway.SendAsync(HttpMethod.Get, "/ws", TestTokens.For("alice"));

        await Problems.AssertAsync(HttpStatusCode.UpgradeRequired, response);
        Assert.Equal("websocket", response.Headers.Upgrade.Single().Name);
        Assert.Empty(backend.Seen);
    }

    [Theory]
    [InlineData("POST /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n", "HTTP/1.1 405")]
    [InlineData("PUT /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n", "HTTP/1.1 405")]
    [InlineData("GET /ws HTTP/1.0", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n", "HTTP/1.1 426")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: {key}\r\n", "HTTP/1.1 426")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Key: {key}\r\n", "HTTP/1.1 426")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n", "HTTP/1.1 426")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\n", "HTTP/1.1 400")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n", "HTTP/1.1 400")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Key: {key}\r\n", "HTTP/1.1 400")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nContent-Length: 5\r\n", "HTTP/1.1 426")]
    [InlineData("GET /ws HTTP/1.1", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 426")]
    public async Task A_handshake_that_is_not_quite_one_stops_at_the_gateway(string line, string headers, string status)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var answer = await RawRequest.SendAsync(
            gateway.Address,
            $"{line}\r\nHost: {gateway.Address.Authority}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n" +
            $"Authorization: Bearer {TestTokens.For("alice")}\r\n" +
            $"{headers.Replace("{key}", "dGhlIHNhbXBsZSBub25jZQ==", StringComparison.Ordinal)}\r\n");

        Assert.StartsWith(status, answer, StringComparison.Ordinal);
        Assert.Empty(backend.Seen);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("http://{self}", true)]
    [InlineData("https://{self}", true)]
    [InlineData("https://chat.example.org", true)]
    [InlineData("https://CHAT.example.org", true)]
    [InlineData("http://chat.example.org", false)]
    [InlineData("https://chat.example.org.evil.example", false)]
    [InlineData("https://evil.example", false)]
    [InlineData("http://{self}.evil.example", false)]
    [InlineData("http://127.0.0.1", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public async Task Only_pages_of_allowed_origins_may_open_a_socket(string? origin, bool isAllowed)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync(
            [backend], new() { ["Gateway:AllowedOrigins:0"] = "https://chat.example.org" });
        var sent = origin?.Replace("{self}", gateway.Address.Authority, StringComparison.Ordinal);
        (string, string)[] headers = sent is null ? [] : [("Origin", sent)];

        var response = await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}", headers);

        if (isAllowed)
        {
            Assert.Equal(HttpStatusCode.SwitchingProtocols, response.StatusCode);
        }
        else
        {
            Assert.Equal("origin_forbidden", await Problems.CodeOfAsync(HttpStatusCode.Forbidden, response));
        }

        Assert.Equal(isAllowed ? 1 : 0, backend.Seen.Count);
    }

    [Fact]
    public async Task A_star_allows_every_origin()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new() { ["Gateway:AllowedOrigins:0"] = "*" });

        var response = await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}", ("Origin", "https://anywhere.example"));

        Assert.Equal(HttpStatusCode.SwitchingProtocols, response.StatusCode);
    }

    [Fact]
    public async Task Frames_pass_both_ways_and_the_close_code_too()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        var (socket, _) = await gateway.ConnectAsync();

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[100];
        var message = await socket.ReceiveAsync(buffer, CancellationToken.None);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);

        Assert.Equal("hello"u8, buffer.AsSpan(0, message.Count));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        await Eventually.IsTrueAsync(() => backend.Sockets == 0, "the service sees that the client left");
    }

    [Fact]
    public async Task A_quiet_socket_lives_while_the_service_pings_and_is_cut_when_nothing_moves()
    {
        await using var pinging = await EchoBackend.StartAsync(ping: TimeSpan.FromMilliseconds(100));
        await using var silent = await EchoBackend.StartAsync();
        Dictionary<string, string?> settings = new() { ["Gateway:SocketIdleTimeout"] = "00:00:02" };
        await using var toPinging = await RunningGateway.StartAsync([pinging], settings);
        await using var toSilent = await RunningGateway.StartAsync([silent], settings);
        var (alive, _) = await toPinging.ConnectAsync();
        var (dead, _) = await toSilent.ConnectAsync();

        var start = Stopwatch.GetTimestamp();
        var receive = alive.ReceiveAsync(new byte[10], CancellationToken.None);
        await Assert.ThrowsAsync<WebSocketException>(() => dead.ReceiveAsync(new byte[10], CancellationToken.None));

        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(60));
        await alive.SendAsync("still here"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        Assert.Equal(10, (await receive).Count);
    }

    [Fact]
    public async Task A_stopping_gateway_sends_its_clients_away_as_a_draining_node_does()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new() { ["Gateway:ReconnectSpread"] = "00:00:00.5" });
        var clients = new List<ClientWebSocket>();
        for (var i = 0; i < 10; i++)
        {
            clients.Add((await gateway.ConnectAsync()).Socket);
        }

        var stopped = gateway.StopAsync();

        foreach (var client in clients)
        {
            var (text, close) = await GoodbyeAsync(client);
            using var reconnect = JsonDocument.Parse(text);
            Assert.Equal("reconnect", reconnect.RootElement.GetProperty("type").GetString());
            Assert.InRange(reconnect.RootElement.GetProperty("after").GetInt32(), 0, 500);
            Assert.Equal(1012, (int?)close);
            await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Patience());
        }
        await stopped;
        await Eventually.IsTrueAsync(() => backend.Sockets == 0, "the service sees all ten leave");
    }

    [Fact]
    public async Task A_client_that_does_not_answer_the_goodbye_is_cut()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new() { ["Gateway:CloseTimeout"] = "00:00:00.2" });
        await gateway.ConnectAsync();

        await gateway.StopAsync();

        await Eventually.IsTrueAsync(() => backend.Sockets == 0, "the service sees it leave");
    }

    private static async Task<(string Text, WebSocketCloseStatus? Close)> GoodbyeAsync(ClientWebSocket client)
    {
        var buffer = new byte[1024];
        var message = await client.ReceiveAsync(buffer, Patience());
        Assert.Equal(WebSocketMessageType.Text, message.MessageType);
        var text = Encoding.UTF8.GetString(buffer, 0, message.Count);
        Assert.Equal(WebSocketMessageType.Close, (await client.ReceiveAsync(buffer, Patience())).MessageType);
        return (text, client.CloseStatus);
    }

    private static CancellationToken Patience() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
}
