using System.Net;
using System.Net.WebSockets;
using AspireChat.Gateway.Routing;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.Gateway;

public sealed class BalanceTests
{
    private static readonly string Target = $"/ws?token={TestTokens.For("alice")}";

    [Fact]
    public async Task Sockets_are_spread_evenly_over_the_replicas()
    {
        await using var a = await EchoBackend.StartAsync("a");
        await using var b = await EchoBackend.StartAsync("b");
        await using var c = await EchoBackend.StartAsync("c");
        await using var gateway = await RunningGateway.StartAsync([a, b, c]);

        for (var i = 0; i < 30; i++)
        {
            await gateway.ConnectAsync();
        }

        Assert.Equal((10, 10, 10), (a.Sockets, b.Sockets, c.Sockets));
    }

    [Fact]
    public async Task New_sockets_fill_the_emptier_replica_first()
    {
        await using var a = await EchoBackend.StartAsync("a");
        await using var b = await EchoBackend.StartAsync("b");
        await using var gateway = await RunningGateway.StartAsync([a, b]);
        List<(ClientWebSocket Socket, SeenRequest Seen)> open = [];
        for (var i = 0; i < 8; i++)
        {
            open.Add(await gateway.ConnectAsync());
        }

        foreach (var (socket, _) in open.Where(each => each.Seen.Backend == "a"))
        {
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }

        await Eventually.IsTrueAsync(() => a.Sockets == 0, "a is empty");
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("a", (await gateway.ConnectAsync()).Seen.Backend);
        }

        Assert.Equal((4, 4), (a.Sockets, b.Sockets));
    }

    [Fact]
    public async Task A_replica_that_is_not_ready_keeps_its_sockets_and_gets_no_new_ones_until_it_is()
    {
        await using var a = await EchoBackend.StartAsync("a");
        await using var b = await EchoBackend.StartAsync("b");
        await using var gateway = await RunningGateway.StartAsync([a, b]);
        for (var i = 0; i < 4; i++)
        {
            await gateway.ConnectAsync();
        }

        b.IsReady = false;
        await Eventually.IsTrueAsync(() => IsKnown(gateway, b, "Unhealthy"), "the gateway knows that b is not ready");
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal("a", (await gateway.ConnectAsync()).Seen.Backend);
        }

        Assert.Equal((8, 2), (a.Sockets, b.Sockets));

        b.IsReady = true;
        await Eventually.IsTrueAsync(() => IsKnown(gateway, b, "Healthy", after: "Unhealthy"), "the gateway knows that b is back");
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal("b", (await gateway.ConnectAsync()).Seen.Backend);
        }
    }

    [Fact]
    public async Task A_killed_replica_costs_one_attempt_of_the_gateway_and_none_of_a_client()
    {
        await using var a = await EchoBackend.StartAsync("a");
        var b = await EchoBackend.StartAsync("b");
        // No probe will tell in time: the refused connection itself has to.
        await using var gateway = await RunningGateway.StartAsync([a, b], new() { ["Gateway:HealthInterval"] = "00:05:00" });
        await gateway.ConnectAsync();
        await gateway.ConnectAsync();

        var address = b.Address;
        int Attempts() => gateway.Logs.Lines.Count(line => line.Contains($"Proxying to {address}", StringComparison.Ordinal));
        var before = Attempts();

        await b.DisposeAsync();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("a", (await gateway.ConnectAsync()).Seen.Backend);
        }

        Assert.Equal(1, Attempts() - before);
        var send = await gateway.SendAsync(HttpMethod.Post, "/api/rooms/lobby/messages", TestTokens.For("alice"), new StringContent("{}"));

        Assert.Equal(HttpStatusCode.OK, send.StatusCode);
    }

    [Fact]
    public async Task Without_a_replica_the_answer_is_503_with_a_time_to_come_back()
    {
        var gone = await EchoBackend.StartAsync();
        await using var none = await RunningGateway.StartAsync([]);
        await using var refused = await RunningGateway.StartAsync([gone]);
        await gone.DisposeAsync();

        foreach (var gateway in new[] { none, refused })
        {
            var token = TestTokens.For("alice");
            foreach (var response in new[]
            {
                await gateway.HandshakeAsync(Target),
                await gateway.SendAsync(HttpMethod.Get, "/api/conversations", token),
                await gateway.SendAsync(HttpMethod.Post, "/api/rooms/lobby/messages", token, new StringContent("{}")),
            })
            {
                await Problems.AssertAsync(HttpStatusCode.ServiceUnavailable, response);
                Assert.True(response.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
            }
        }
    }

    [Fact]
    public async Task The_only_address_survives_one_bad_probe_and_not_three()
    {
        await using var balancer = await EchoBackend.StartAsync();
        await using var other = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([balancer], new()
        {
            // So that the probes that are counted are those of one service.
            ["services:presence:http:0"] = other.Address,
            ["services:persistence:http:0"] = other.Address,
        });
        await Eventually.IsTrueAsync(() => IsKnown(gateway, balancer, "Healthy"), "the first probe passed");

        foreach (var bad in new[] { 1, 2 })
        {
            var before = balancer.Probes;
            balancer.FailProbes(bad);
            await Eventually.IsTrueAsync(() => balancer.Probes >= before + bad + 2, "the bad probes and good ones after them");
            Assert.False(IsKnown(gateway, balancer, "Unhealthy"));
        }

        balancer.FailProbes(int.MaxValue);
        await Eventually.IsTrueAsync(() => IsKnown(gateway, balancer, "Unhealthy"), "it is taken out");
        await Problems.AssertAsync(HttpStatusCode.ServiceUnavailable, await gateway.HandshakeAsync(Target));
    }

    [Fact]
    public async Task Replicas_that_come_and_go_in_configuration_are_picked_up()
    {
        await using var a = await EchoBackend.StartAsync("a");
        await using var b = await EchoBackend.StartAsync("b");
        await using var gateway = await RunningGateway.StartAsync([a]);
        await gateway.ConnectAsync();

        gateway.Configuration["services:connection:http:1"] = b.Address;
        gateway.Configuration.Reload();
        await Eventually.IsTrueAsync(() => IsKnown(gateway, b, "Healthy"), "b is known");

        Assert.Equal("b", (await gateway.ConnectAsync()).Seen.Backend);
        // The count of sockets of the replica that stayed has not been forgotten.
        string[] next = [(await gateway.ConnectAsync()).Seen.Backend, (await gateway.ConnectAsync()).Seen.Backend];
        Assert.Equal(["a", "b"], next.Order());
    }

    [Fact]
    public async Task Every_address_of_a_DNS_name_is_a_replica_and_changes_are_followed()
    {
        await using var a = await EchoBackend.StartAsync("a", "127.0.0.1");
        await using var b = await EchoBackend.StartAsync("b", "127.0.0.2", a.Port);
        await using var c = await EchoBackend.StartAsync("c", "127.0.0.3", a.Port);
        var names = new FakeNames();
        await using var gateway = await RunningGateway.StartAsync(
            [],
            new() { ["services:connection:http:0"] = $"http://connection.test:{a.Port}" },
            services: services => services.AddSingleton<INameLookup>(names));
        await Problems.AssertAsync(HttpStatusCode.ServiceUnavailable, await gateway.HandshakeAsync(Target));

        names.Addresses["connection.test"] = ["127.0.0.1", "127.0.0.2", "::1"];
        await Eventually.IsTrueAsync(() => a.Probes > 0 && b.Probes > 0, "both addresses are found and probed");
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal($"connection.test:{a.Port}", (await gateway.ConnectAsync()).Seen.Headers["Host"]);
        }

        Assert.Equal((5, 5), (a.Sockets, b.Sockets));

        names.Addresses["connection.test"] = ["127.0.0.2", "127.0.0.3"];
        await Eventually.IsTrueAsync(() => c.Probes > 0, "the new address is found");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("c", (await gateway.ConnectAsync()).Seen.Backend);
        }

        Assert.Equal((5, 5, 5), (a.Sockets, b.Sockets, c.Sockets));

        names.Addresses.Clear();
        var lookups = names.Lookups;
        await Eventually.IsTrueAsync(() => names.Lookups >= lookups + 2, "the name server has failed to answer");
        Assert.NotEqual("a", (await gateway.ConnectAsync()).Seen.Backend);
        Assert.Single(gateway.Logs.Lines, line => line.Contains("ServiceDestinations", StringComparison.Ordinal)
            && line.Contains("keeping the 2 known", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_gateway_is_ready_when_sockets_have_somewhere_to_go()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var ready = await RunningGateway.StartAsync([backend]);
        await using var alone = await RunningGateway.StartAsync([]);

        await Eventually.IsTrueAsync(
            async () => (await ready.SendAsync(HttpMethod.Get, "/health")).StatusCode == HttpStatusCode.OK, "the gateway is ready");
        var unready = await alone.SendAsync(HttpMethod.Get, "/health");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, unready.StatusCode);
        Assert.Contains("connection: Unhealthy", await unready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await alone.SendAsync(HttpMethod.Get, "/alive")).StatusCode);
    }

    /// <summary>The last change of health that the gateway has logged for the backend, optionally after another one.</summary>
    private static bool IsKnown(RunningGateway gateway, EchoBackend backend, string health, string? after = null)
    {
        var change = $"connection: {backend.Address} is ";
        string[] changes = [.. gateway.Logs.Lines.Where(line => line.Contains(change, StringComparison.Ordinal))];
        return changes.Length > 0
            && changes[^1].Contains($"is {health} (", StringComparison.Ordinal)
            && (after is null || changes.Any(line => line.Contains($"is {after} (", StringComparison.Ordinal)));
    }
}
