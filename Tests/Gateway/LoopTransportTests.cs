using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Gateway;

/// <summary>Connections that an event loop reads and writes, while they speak HTTP and after it.</summary>
public sealed class LoopTransportTests
{
    private const string Head = "GET /ws?token={0} HTTP/1.1\r\nHost: {1}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_a_client_sends_together_with_its_handshake_reaches_the_service()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        using var client = await ConnectAsync(gateway);
        // A masked text frame with the mask 0.
        byte[] frame = [0x81, 0x85, 0, 0, 0, 0, .. "early"u8];

        await client.SendAsync((byte[])[.. Handshake(gateway), .. frame]);

        await ReadUntilAsync(client, "\u0005early");
    }

    [Fact]
    public async Task A_handshake_that_comes_byte_by_byte_is_one()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        using var client = await ConnectAsync(gateway);

        foreach (var part in Handshake(gateway))
        {
            await client.SendAsync((byte[])[part]);
        }

        await ReadUntilAsync(client, "HTTP/1.1 101 ");
    }

    [Fact]
    public async Task An_answer_that_is_larger_than_the_sockets_hold_arrives_whole()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/rooms/large/members");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {TestTokens.For("alice")}");

        using var response = await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(EchoBackend.LargeAnswer, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task Sockets_are_counted_while_they_are_open_and_the_server_forgets_them()
    {
        var (tunnels, connections) = (0L, 0L);
        await using var backend = await EchoBackend.StartAsync();
        using var listener = new MeterListener();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        var meters = (IMeterFactory)gateway.Services.GetService(typeof(IMeterFactory))!;
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name is "aspirechat.gateway.tunnels" or "kestrel.active_connections")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, change, _, _) =>
            Interlocked.Add(ref instrument.Name == "kestrel.active_connections" ? ref connections : ref tunnels, change));
        listener.Start();

        var (socket, _) = await gateway.ConnectAsync();

        await Eventually.IsTrueAsync(() => Volatile.Read(ref connections) == 0, "the server has given the connection away");
        Assert.Equal(1, Volatile.Read(ref tunnels));

        using var patience = new CancellationTokenSource(Patience);
        await socket.SendAsync("still here"u8.ToArray(), WebSocketMessageType.Text, true, patience.Token);
        Assert.Equal(10, (await socket.ReceiveAsync(new byte[100], patience.Token)).Count);
        socket.Abort();

        await Eventually.IsTrueAsync(() => Volatile.Read(ref tunnels) == 0, "the socket is no longer counted");
    }

    private static byte[] Handshake(RunningGateway gateway) => Encoding.ASCII.GetBytes(
        string.Format(System.Globalization.CultureInfo.InvariantCulture, Head, TestTokens.For("alice"), gateway.Address.Authority));

    private static async Task<Socket> ConnectAsync(RunningGateway gateway)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        return client;
    }

    private static async Task ReadUntilAsync(Socket client, string text)
    {
        var (read, buffer) = ("", new byte[4096]);
        while (!read.Contains(text, StringComparison.Ordinal))
        {
            var count = await client.ReceiveAsync(buffer).WaitAsync(Patience);
            Assert.NotEqual(0, count);
            read += Encoding.Latin1.GetString(buffer, 0, count);
        }
    }
}
