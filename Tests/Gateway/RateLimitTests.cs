using System.Net;
using AspireChat.Tests.ServiceDefaults;

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
    public async Task Switched_off_nothing_is_limited()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend], new(Tight) { ["Gateway:RateLimits:Enabled"] = "false" });

        Assert.False(await IsLimitedAfterAsync(20, () => gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.For("alice"))));
        Assert.False(await IsLimitedAfterAsync(20, () => gateway.HandshakeAsync($"/ws?token={TestTokens.For("alice")}")));
        Assert.False(await IsLimitedAfterAsync(20, () => gateway.SendAsync(HttpMethod.Get, "/dev/token?user=alice")));
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
