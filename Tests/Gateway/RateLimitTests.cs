using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.Gateway;

public sealed class RateLimitTests
{
    private static readonly Dictionary<string, string?> Tight = new()
    {
        ["Gateway:RateLimits:ApiPerUser:Burst"] = "3",
        ["Gateway:RateLimits:ApiPerUser:PerSecond"] = "1",
        ["Gateway:RateLimits:ConnectsPerAddress:Burst"] = "3",
        ["Gateway:RateLimits:ConnectsPerAddress:PerSecond"] = "1",
        ["Gateway:RateLimits:DevTokensPerAddress:Burst"] = "3",
        ["Gateway:RateLimits:DevTokensPerAddress:PerSecond"] = "1",
    };

    [Fact]
    public async Task Calls_are_limited_per_user()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Tight);
        Task<HttpResponseMessage> Call(string user) => gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For(user));

        Assert.True(await IsLimitedAfterAsync(3, () => Call("alice")));
        Assert.Equal(HttpStatusCode.OK, (await Call("bob")).StatusCode);
    }

    [Fact]
    public async Task Attempts_to_connect_are_limited_per_address_refused_ones_included()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Tight);

        for (var i = 0; i < 3; i++)
        {
            await Problems.AssertAsync(HttpStatusCode.Unauthorized, await gateway.HandshakeAsync("/ws?token=garbage"));
        }

        Assert.True(await IsLimitedAfterAsync(0, () => gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}")));
    }

    [Fact]
    public async Task Development_tokens_are_limited_and_health_is_not()
    {
        await using var gateway = await RunningGateway.StartAsync([], Tight);

        Assert.True(await IsLimitedAfterAsync(3, () => gateway.SendAsync(HttpMethod.Get, "/dev/token?user=alice")));
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.SendAsync(HttpMethod.Get, "/alive")).StatusCode);
        }
    }

    [Fact]
    public async Task Every_request_of_an_address_counts_whatever_it_is_for()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Requests(burst: 10));
        using var refused = new CountedRefusals(gateway);

        foreach (var (method, target) in new[]
        {
            ("GET", "/"), ("GET", "/missing.js"), ("GET", "/nothing"), ("GET", "/openapi/v1.json"), ("GET", "/api/conversations"),
            ("DELETE", "/api/conversations"), ("POST", "/ws"), ("GET", "/ws?token=garbage"), ("OPTIONS", "/dev/token"), ("BREW", "/"),
        })
        {
            Assert.NotEqual(HttpStatusCode.TooManyRequests, (await gateway.SendAsync(new HttpMethod(method), target)).StatusCode);
        }

        Assert.True(await IsLimitedAfterAsync(0, () => gateway.SendAsync(HttpMethod.Get, "/")));
        Assert.Empty(backend.Seen);
        Assert.True(refused.Of("requests") > 0);
    }

    [Fact]
    public async Task Health_checks_are_answered_to_an_address_that_is_limited()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Requests(burst: 1));
        Assert.True(await IsLimitedAfterAsync(1, () => gateway.SendAsync(HttpMethod.Get, "/")));

        foreach (var path in new[] { "/alive", "/health" })
        {
            Assert.NotEqual(HttpStatusCode.TooManyRequests, (await gateway.SendAsync(HttpMethod.Get, path)).StatusCode);
        }
    }

    [Fact]
    public async Task A_connection_beyond_the_addresss_share_is_closed_at_once_and_a_place_is_free_again_when_one_ends()
    {
        await using var gateway = await RunningGateway.StartAsync([], new() { ["Gateway:RateLimits:ConnectionsPerAddress"] = "3" });
        using var refused = new CountedRefusals(gateway);
        List<TcpClient> open = [];
        for (var i = 0; i < 3; i++)
        {
            open.Add(await ConnectAsync(gateway));
            Assert.StartsWith("HTTP/1.1 200", await AskAsync(open[i]), StringComparison.Ordinal);
        }

        Assert.Equal("", await AskAnewAsync(gateway));
        Assert.Equal(1, refused.Of("connections"));
        open[0].Dispose();
        await Eventually.IsTrueAsync(
            async () => (await AskAnewAsync(gateway)).StartsWith("HTTP/1.1 200", StringComparison.Ordinal), "a place is free again");
        open.ForEach(each => each.Dispose());
    }

    [Fact]
    public async Task A_known_proxy_may_open_more_connections_than_a_client()
    {
        await using var gateway = await RunningGateway.StartAsync(
            [], new() { ["Gateway:RateLimits:ConnectionsPerAddress"] = "1", ["Gateway:KnownProxies:0"] = "127.0.0.0/8" });

        List<TcpClient> open = [];
        for (var i = 0; i < 5; i++)
        {
            open.Add(await ConnectAsync(gateway));
            Assert.StartsWith("HTTP/1.1 200", await AskAsync(open[i]), StringComparison.Ordinal);
        }

        open.ForEach(each => each.Dispose());
    }

    [Fact]
    public async Task All_connections_together_are_bounded()
    {
        await using var gateway = await RunningGateway.StartAsync([], new() { ["Gateway:RateLimits:Connections"] = "2" });
        using var first = await ConnectAsync(gateway);
        using var second = await ConnectAsync(gateway);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(first), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(second), StringComparison.Ordinal);

        Assert.Equal("", await AskAnewAsync(gateway));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task A_socket_beyond_the_clients_share_is_refused_behind_a_proxy_too_until_one_ends(string tunnels)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new()
        {
            ["Gateway:Tunnels"] = tunnels,
            ["Gateway:KnownProxies:0"] = "127.0.0.1",
            ["Gateway:RateLimits:SocketsPerAddress"] = "2",
        });
        using var refused = new CountedRefusals(gateway);
        Task<(ClientWebSocket Socket, SeenRequest Seen)> OpenAsync(string address) =>
            gateway.ConnectAsync(options: options => options.SetRequestHeader("X-Forwarded-For", address));
        var first = await OpenAsync("203.0.113.1");
        await OpenAsync("203.0.113.1");

        var response = await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}", ("X-Forwarded-For", "203.0.113.1"));

        Assert.Equal("limit", await Problems.CodeOfAsync(HttpStatusCode.TooManyRequests, response));
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal(1, refused.Of("sockets"));
        await OpenAsync("203.0.113.2");
        await first.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await Eventually.IsTrueAsync(
            async () => (await gateway.HandshakeAsync(
                $"/ws?token={TestTokens.For("alice")}", ("X-Forwarded-For", "203.0.113.1"))).StatusCode == HttpStatusCode.SwitchingProtocols,
            "a place is free again");
    }

    [Fact]
    public async Task A_refused_handshake_leaves_no_socket_counted()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new() { ["Gateway:RateLimits:SocketsPerAddress"] = "1" });
        backend.Refusal = "no room";
        // The answer may be here a moment before its place is free again.
        for (var i = 0; i < 5; i++)
        {
            await BecomesAsync(HttpStatusCode.ServiceUnavailable);
        }

        backend.Refusal = null;
        await BecomesAsync(HttpStatusCode.SwitchingProtocols);

        Task BecomesAsync(HttpStatusCode status) => Eventually.IsTrueAsync(
            async () => (await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}")).StatusCode == status, $"{status}");
    }

    [Fact]
    public async Task A_head_that_does_not_end_is_cut_off()
    {
        await using var gateway = await RunningGateway.StartAsync([], new() { ["Gateway:HeadTimeout"] = "00:00:01" });

        // Without the setting it would take the server's 30 s.
        var answer = await RawRequest.SendAsync(gateway.Address, "GET /alive HTTP/1.1\r\nHost: x\r\nX-Slow: ").WaitAsync(TimeSpan.FromSeconds(20));

        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer);
    }

    [Fact]
    public async Task A_body_that_does_not_come_is_cut_off()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var answer = await RawRequest.SendAsync(
            gateway.Address,
            $"POST /dev/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{{");

        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20_000, 1)]
    [InlineData(10_000, 4)]
    [InlineData(10, 120)]
    public async Task A_head_that_is_too_large_is_refused(int bytes, int headers)
    {
        await using var gateway = await RunningGateway.StartAsync([]);
        var target = headers == 1 ? $"/alive?{new string('a', bytes)}" : "/alive";
        var lines = string.Concat(Enumerable.Range(0, headers == 1 ? 0 : headers).Select(i => $"X-{i}: {new string('a', bytes)}\r\n"));

        var answer = await RawRequest.SendAsync(gateway.Address, $"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n");

        Assert.StartsWith(headers == 1 ? "HTTP/1.1 414" : "HTTP/1.1 431", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_kind_of_refusal_is_counted_by_its_reason()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Tight);
        using var refused = new CountedRefusals(gateway);
        var token = TestTokens.For("alice");

        await gateway.SendAsync(HttpMethod.Get, "/ws", token);
        await gateway.HandshakeAsync($"/ws?token={token}", ("Origin", "https://evil.example"));
        await RawRequest.SendAsync(gateway.Address, "GET /dev/token?user=alice HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
        foreach (var target in new[] { "/api/conversations", "/ws", "/dev/token?user=alice" })
        {
            Assert.True(await IsLimitedAfterAsync(0, async () => (await Task.WhenAll(
                Enumerable.Range(0, 5).Select(_ => gateway.SendAsync(HttpMethod.Get, target, token)))).MaxBy(each => each.StatusCode)!));
        }

        foreach (var reason in new[] { "handshake", "origin", "host", "api", "connects", "dev-tokens" })
        {
            Assert.True(refused.Of(reason) > 0, reason);
        }
    }

    [Fact]
    public async Task Switched_off_nothing_is_limited()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new(Tight) { ["Gateway:RateLimits:Enabled"] = "false" });

        Assert.False(await IsLimitedAfterAsync(20, () => gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For("alice"))));
        Assert.False(await IsLimitedAfterAsync(20, () => gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}")));
        Assert.False(await IsLimitedAfterAsync(20, () => gateway.SendAsync(HttpMethod.Get, "/dev/token?user=alice")));
    }

    private static Dictionary<string, string?> Requests(int burst) => new()
    {
        ["Gateway:RateLimits:RequestsPerAddress:Burst"] = $"{burst}",
        ["Gateway:RateLimits:RequestsPerAddress:PerSecond"] = "1",
    };

    private static async Task<TcpClient> ConnectAsync(RunningGateway gateway)
    {
        var client = new TcpClient();
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        return client;
    }

    /// <summary>The same on a connection of its own, which may be reset before it is open.</summary>
    private static async Task<string> AskAnewAsync(RunningGateway gateway)
    {
        try
        {
            using var client = await ConnectAsync(gateway);
            return await AskAsync(client);
        }
        catch (SocketException)
        {
            return "";
        }
    }

    /// <summary>The head of the answer to a request on an open connection; empty when that was closed.</summary>
    private static async Task<string> AskAsync(TcpClient client)
    {
        var buffer = new byte[4096];
        try
        {
            await client.GetStream().WriteAsync("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            return Encoding.ASCII.GetString(buffer, 0, await client.GetStream().ReadAsync(buffer));
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>What a gateway has refused since, by reason.</summary>
    private sealed class CountedRefusals : IDisposable
    {
        private readonly ConcurrentDictionary<string, long> _counts = [];
        private readonly MeterListener _listener = new();

        public CountedRefusals(RunningGateway gateway)
        {
            var meters = gateway.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "aspirechat.gateway.refused")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
                _counts.AddOrUpdate((string)tags[0].Value!, value, (_, sum) => sum + value));
            _listener.Start();
        }

        public long Of(string reason) => _counts.GetValueOrDefault(reason);

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>That many requests pass; tells whether one of the next few is a problem 429 that says when to come back.</summary>
    private static async Task<bool> IsLimitedAfterAsync(int passing, Func<Task<HttpResponseMessage>> send)
    {
        for (var i = 0; i < passing; i++)
        {
            Assert.True((int)(await send()).StatusCode < 300);
        }

        for (var i = 0; i < 5; i++)
        {
            var response = await send();
            if (response.StatusCode != HttpStatusCode.TooManyRequests)
            {
                continue;
            }

            Assert.Equal("rate_limited", await Problems.CodeOfAsync(HttpStatusCode.TooManyRequests, response));
            Assert.True(response.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
            return true;
        }
        return false;
    }
}
