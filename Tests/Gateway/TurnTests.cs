using System.Net;
using System.Net.WebSockets;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Gateway;

/// <summary>However many sockets are opened and calls are made at once, the others have their turn.</summary>
public sealed class TurnTests
{
    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Of_handshakes_at_once_a_few_are_under_way_and_the_rest_wait(string tunnels)
    {
        await using var backend = await EchoBackend.StartAsync();
        backend.HoldsSockets = true;
        await using var gateway = await RunningGateway.StartAsync([backend], Settings(handshakes: 2, tunnels));

        var opening = Enumerable.Range(0, 20).Select(_ => gateway.ConnectAsync()).ToList();
        await Eventually.IsTrueAsync(() => backend.Seen.Count == 2, "two are under way");
        // A call is none of them.
        Assert.Equal(HttpStatusCode.OK, (await gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For("alice"))).StatusCode);
        Assert.Equal(2, backend.Seen.Count(seen => seen.RawTarget.StartsWith("/ws", StringComparison.Ordinal)));
        backend.Release();

        // They stay open, and so none of them keeps its turn.
        Assert.All(await Task.WhenAll(opening), opened => Assert.Equal(WebSocketState.Open, opened.Socket.State));
        Assert.Equal(20, backend.Sockets);
    }

    [Fact]
    public async Task An_address_that_opens_one_socket_does_not_wait_for_all_of_another_address()
    {
        await using var backend = await EchoBackend.StartAsync();
        backend.HoldsSockets = true;
        await using var gateway = await RunningGateway.StartAsync([backend], Settings(handshakes: 1));
        Task OpenAsync(string address) => gateway.ConnectAsync(options: options => options.SetRequestHeader("X-Forwarded-For", address));

        List<Task> opening = [OpenAsync("203.0.113.1")];
        await Eventually.IsTrueAsync(() => backend.Seen.Count == 1, "one is under way");
        opening.AddRange(Enumerable.Range(0, 30).Select(_ => OpenAsync("203.0.113.1")));
        // An answer of the gateway says that what was asked before on other connections has most likely come.
        Assert.Equal(HttpStatusCode.OK, (await gateway.SendAsync(HttpMethod.Get, "/alive")).StatusCode);
        opening.Add(OpenAsync("203.0.113.2"));
        Assert.Equal(HttpStatusCode.OK, (await gateway.SendAsync(HttpMethod.Get, "/alive")).StatusCode);
        backend.Release();
        await Task.WhenAll(opening);

        var order = backend.Seen.Select(seen => seen.Headers["X-Forwarded-For"]).ToList();
        Assert.Equal(32, order.Count);
        Assert.InRange(order.IndexOf("203.0.113.2"), 1, 10);
    }

    [Fact]
    public async Task A_handshake_whose_turn_does_not_come_is_answered_503_and_says_when_to_come_again()
    {
        await using var backend = await EchoBackend.StartAsync();
        backend.HoldsSockets = true;
        await using var gateway = await RunningGateway.StartAsync(
            [backend], new(Settings(handshakes: 1)) { ["Gateway:RateLimits:HandshakePatience"] = "00:00:00.100" });
        var first = gateway.ConnectAsync();
        await Eventually.IsTrueAsync(() => backend.Seen.Count == 1, "one is under way");

        var refused = await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}");

        Assert.Equal("unavailable", await Problems.CodeOfAsync(HttpStatusCode.ServiceUnavailable, refused));
        Assert.NotNull(refused.Headers.RetryAfter);
        backend.Release();
        Assert.Equal(WebSocketState.Open, (await first).Socket.State);
        await gateway.ConnectAsync();
    }

    [Fact]
    public async Task A_refused_handshake_ends_its_turn()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], Settings(handshakes: 1));
        backend.Refusal = "no room";
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}")).StatusCode);
        }

        backend.Refusal = null;
        await gateway.ConnectAsync();
    }

    [Fact]
    public async Task A_user_has_so_many_calls_under_way_and_another_one_is_not_concerned()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new() { ["Gateway:RateLimits:CallsPerUser"] = "2" });
        var slow = Enumerable.Range(0, 2)
            .Select(_ => gateway.SendAsync(HttpMethod.Get, "/api/rooms/slow/members", TestTokens.For("alice"))).ToList();
        await Eventually.IsTrueAsync(() => backend.Seen.Count == 2, "both are under way");

        var refused = await gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For("alice"));

        Assert.Equal("rate_limited", await Problems.CodeOfAsync(HttpStatusCode.TooManyRequests, refused));
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, (await gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For("bob"))).StatusCode);
        backend.Release();
        Assert.All(await Task.WhenAll(slow), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await Eventually.IsTrueAsync(
            async () => (await gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For("alice"))).StatusCode == HttpStatusCode.OK,
            "a place is free again");
    }

    [Fact]
    public async Task More_connections_may_wait_to_be_accepted_than_the_framework_takes()
    {
        await using var gateway = await RunningGateway.StartAsync([]);

        var backlog = gateway.Services.GetRequiredService<IOptions<SocketTransportOptions>>().Value.Backlog;

        Assert.Equal(ServiceDefaultsExtensions.Backlog, backlog);
    }

    private static Dictionary<string, string?> Settings(int handshakes, string tunnels = "true") => new()
    {
        ["Gateway:Tunnels"] = tunnels,
        ["Gateway:KnownProxies:0"] = "127.0.0.1",
        ["Gateway:RateLimits:Handshakes"] = $"{handshakes}",
    };
}
