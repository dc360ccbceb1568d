using System.Net;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Gateway;

public sealed class KnownProxyTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("10.0.0.0/8", false)]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("127.0.0.1", true)]
    public async Task A_client_cannot_choose_its_address_and_a_known_proxy_can(string? proxies, bool isBelieved)
    {
        foreach (var everybodyIsBelieved in new[] { "false", "true" })
        {
            await using var backend = await EchoBackend.StartAsync();
            await using var gateway = await RunningGateway.StartAsync([backend], new()
            {
                ["ForwardedHeaders_Enabled"] = everybodyIsBelieved,
                ["Gateway:KnownProxies:0"] = proxies,
                ["Gateway:RateLimits:ConnectsPerAddress:Burst"] = "3",
                ["Gateway:RateLimits:ConnectsPerAddress:PerSecond"] = "1",
            });
            List<HttpStatusCode> statuses = [];

            for (var i = 0; i < 10; i++)
            {
                statuses.Add((await gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}", ("X-Forwarded-For", $"203.0.113.{i}"))).StatusCode);
            }

            Assert.Equal(!isBelieved, statuses.Contains(HttpStatusCode.TooManyRequests));
            Assert.Equal(isBelieved ? "203.0.113.0" : "127.0.0.1", backend.Seen.First().Headers["X-Forwarded-For"]);
            Assert.Equal(isBelieved ? 0 : 1, gateway.Logs.Lines.Count(line => line.Contains("is not among", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task What_stands_before_a_known_proxys_own_entry_is_a_claim()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new()
        {
            ["Gateway:KnownProxies:0"] = "127.0.0.0/8",
            ["Gateway:KnownProxies:1"] = "10.0.0.0/8",
        });

        await gateway.HandshakeAsync(
            $"/ws?token={TestTokens.For("alice")}", ("X-Forwarded-For", "6.6.6.6, 203.0.113.7, 10.2.3.4"), ("X-Forwarded-Host", "evil.example"));

        Assert.Equal("203.0.113.7", backend.Seen.Single().Headers["X-Forwarded-For"]);
        Assert.Equal(gateway.Address.Authority, backend.Seen.Single().Headers["X-Forwarded-Host"]);
    }

    [Fact]
    public async Task Only_a_known_proxy_says_that_the_client_came_by_TLS()
    {
        await using var known = await RunningGateway.StartAsync([], new() { ["Gateway:KnownProxies:0"] = "127.0.0.1" });
        await using var unknown = await RunningGateway.StartAsync([]);

        foreach (var gateway in new[] { known, unknown })
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/alive");
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("X-Forwarded-For", "203.0.113.7");

            Assert.Equal(gateway == known, (await gateway.Http.SendAsync(request)).Headers.Contains("Strict-Transport-Security"));
        }
    }

    [Fact]
    public async Task A_network_that_is_none_stops_the_start()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(
            () => RunningGateway.StartAsync([], new() { ["Gateway:KnownProxies:0"] = "10.0.0.0/99" }));

        Assert.Contains("Gateway:KnownProxies has '10.0.0.0/99'", fault.Message, StringComparison.Ordinal);
    }
}
