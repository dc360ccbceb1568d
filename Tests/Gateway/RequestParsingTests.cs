using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Gateway;

/// <summary>One request of a client is one request of a replica, whatever the client writes.</summary>
public sealed class RequestParsingTests
{
    private const string Smuggled = "GET /internal/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

    public static TheoryData<string, string> Ambiguous => new()
    {
        { "length and chunks", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled },
        { "chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + Smuggled },
        { "two lengths", "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + Smuggled },
        { "a list of lengths", "Content-Length: 0, 44\r\n\r\n" + Smuggled },
        { "a signed length", "Content-Length: +0\r\n\r\n" + Smuggled },
        { "a length in hex", "Content-Length: 0x0\r\n\r\n" + Smuggled },
        { "a space before the colon", "Content-Length : 44\r\n\r\n" + Smuggled },
        { "hidden chunks", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + Smuggled },
        { "chunks last but one", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + Smuggled },
        { "chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + Smuggled },
        { "a folded header", "X-A: b\r\n Content-Length: 44\r\n\r\n" + Smuggled },
        { "a bare line feed", "X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled },
        { "a bare carriage return", "X-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Smuggled },
        { "a NUL", "X-A: b\0c\r\n\r\n" + Smuggled },
        { "a chunk size with more", "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + Smuggled },
        { "a negative chunk size", "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + Smuggled },
        { "a huge chunk size", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n" + Smuggled },
        { "a second host", "Host: evil.example\r\n\r\n" + Smuggled },
    };

    [Theory]
    [MemberData(nameof(Ambiguous))]
    public async Task Nothing_is_smuggled_past_the_gateway_in_a_call(string kind, string rest)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        await RawRequest.SendAsync(
            gateway.Address,
            $"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: {gateway.Address.Authority}\r\nConnection: close\r\n" +
            $"Authorization: Bearer {TestTokens.For("alice")}\r\n{rest}");

        Assert.True(backend.Seen.Count <= 1, kind);
        Assert.DoesNotContain(backend.Seen, seen => seen.RawTarget.Contains("smuggled", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ambiguous))]
    public async Task Nothing_is_smuggled_past_the_gateway_behind_a_refused_handshake(string kind, string rest)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        backend.Refusal = "no room";

        await RawRequest.SendAsync(gateway.Address, HandshakeOf(gateway) + rest + Smuggled.Replace("Host: x", "Host: x\r\nConnection: close", StringComparison.Ordinal));

        Assert.DoesNotContain(backend.Seen, seen => seen.RawTarget.Contains("smuggled", StringComparison.Ordinal));
        Assert.All(backend.Seen, seen => Assert.Equal("/ws", seen.RawTarget));
        Assert.False(string.IsNullOrEmpty(kind));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task A_replica_gets_each_header_of_a_handshake_once_and_none_that_is_between_client_and_gateway(string tunnels)
    {
        await using var replica = RawReplica.Start();
        await using var gateway = await RunningGateway.StartAsync([], new()
        {
            ["Gateway:Tunnels"] = tunnels,
            ["services:connection:http:0"] = replica.Address,
        });
        await Eventually.IsTrueAsync(
            async () => (await gateway.SendAsync(HttpMethod.Get, "/health")).StatusCode == HttpStatusCode.OK, "the replica is known");

        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(
            HandshakeOf(gateway) +
            "Connection: X-Forwarded-For, Authorization, Host\r\nForwarded: for=6.6.6.6\r\n" +
            "X-A: 1\r\nX-A: 2\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n" +
            "Trailer: X-B\r\nCookie: a=b\r\nX-Forwarded-Host: evil.example\r\nX-Real-IP: 6.6.6.6\r\n\r\n"));
        await Eventually.IsTrueAsync(() => !replica.Handshakes.IsEmpty, "the handshake has come");

        var head = replica.Handshakes.Single();
        var lines = head.Split("\r\n");
        string[] names = [.. lines.Skip(1).Where(line => line.Length > 0).Select(line => line.Split(':')[0].ToLowerInvariant())];
        Assert.StartsWith("GET /ws HTTP/1.1", lines[0], StringComparison.Ordinal);
        foreach (var once in new[]
        {
            "host", "connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "authorization", "x-forwarded-for", "x-forwarded-host",
        })
        {
            Assert.Single(names, name => name == once);
        }

        foreach (var never in new[]
        {
            "te", "keep-alive", "proxy-connection", "proxy-authorization", "trailer", "cookie", "transfer-encoding", "content-length",
            "x-real-ip", "forwarded",
        })
        {
            Assert.DoesNotContain(never, names);
        }

        Assert.DoesNotContain("evil.example", head, StringComparison.Ordinal);
    }

    private static string HandshakeOf(RunningGateway gateway) =>
        $"GET /ws HTTP/1.1\r\nHost: {gateway.Address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {TestTokens.For("alice")}\r\n";

    /// <summary>Keeps the very bytes that a replica gets. Probes are answered, handshakes accepted.</summary>
    private sealed class RawReplica : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ConcurrentBag<TcpClient> _clients = [];

        public string Address => $"http://{_listener.LocalEndpoint}";

        public ConcurrentQueue<string> Handshakes { get; } = new();

        public static RawReplica Start()
        {
            var replica = new RawReplica();
            replica._listener.Start();
            _ = replica.AcceptAsync();
            return replica;
        }

        public ValueTask DisposeAsync()
        {
            _listener.Stop();
            foreach (var client in _clients)
            {
                client.Dispose();
            }

            return ValueTask.CompletedTask;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptTcpClientAsync();
                    _clients.Add(client);
                    _ = ServeAsync(client.GetStream());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Disposed.
            }
        }

        private async Task ServeAsync(NetworkStream stream)
        {
            var buffer = new byte[64 * 1024];
            var length = 0;
            while (!Encoding.Latin1.GetString(buffer, 0, length).Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                var read = await stream.ReadAsync(buffer.AsMemory(length));
                if (read == 0)
                {
                    return;
                }

                length += read;
            }

            var head = Encoding.Latin1.GetString(buffer, 0, length);
            if (!head.StartsWith("GET /health", StringComparison.Ordinal))
            {
                Handshakes.Enqueue(head);
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(head.StartsWith("GET /health", StringComparison.Ordinal)
                ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                : "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
                    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
        }
    }
}
