using System.Net;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class AuthenticationTests
{
    [Fact]
    public async Task Each_policy_lets_its_callers_in_and_nobody_else()
    {
        await using var service = await RunningService.StartAsync();
        var (user, admin) = (TestTokens.For("alice"), TestTokens.For("root", scope: "profile chat:admin"));
        var inner = service.App.Services.GetRequiredService<InternalTokens>().Take();
        string?[] callers = [null, user, admin, inner];
        async Task<string> StatusesOf(string path)
        {
            List<int> statuses = [];
            foreach (var token in callers)
            {
                statuses.Add((int)(await service.GetAsync(path, token)).StatusCode);
            }

            return string.Join(' ', statuses);
        }

        Assert.Equal("200 200 200 200", await StatusesOf("/anyone"));
        Assert.Equal("401 200 200 401", await StatusesOf("/user"));
        Assert.Equal("401 403 200 401", await StatusesOf("/admin"));
        Assert.Equal("401 401 401 200", await StatusesOf("/internal/name"));
    }

    [Theory]
    [MemberData(nameof(TokenTests.Refused), MemberType = typeof(TokenTests))]
    public async Task A_service_behind_the_gateway_refuses_what_the_gateway_refuses(string kind)
    {
        var token = TokenTests.RefusedTokens[kind]();
        await using var service = await RunningService.StartAsync();
        var validator = service.App.Services.GetRequiredService<UserTokenValidator>();

        await Problems.AssertAsync(HttpStatusCode.Unauthorized, await service.GetAsync("/user", token));
        Assert.Null(await validator.ValidateAsync(token ?? ""));
    }

    [Fact]
    public async Task The_validator_returns_the_user_and_the_expiry()
    {
        await using var service = await RunningService.StartAsync();
        var validator = service.App.Services.GetRequiredService<UserTokenValidator>();

        var user = await validator.ValidateAsync(TestTokens.For("a.B-c_9", scope: "chat:admin", expiresIn: 60));

        Assert.Equal(("a.B-c_9", true), (user!.Id, user.IsAdmin));
        Assert.InRange(user.Expires - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        Assert.False((await validator.ValidateAsync(TestTokens.For("bob", scope: "chat:administrator")))!.IsAdmin);
    }

    [Theory]
    [InlineData("\"exp\":253402300799", 253402300799)]
    [InlineData("\"exp\":4000000000.25,\"nbf\":1.5", 4000000000)]
    [InlineData("\"exp\":4e9", 4000000000)]
    public async Task Every_end_that_a_date_can_hold_is_told_in_whole_seconds(string claims, long end)
    {
        await using var service = await RunningService.StartAsync();
        var token = TestTokens.Raw(claims);

        var user = await service.App.Services.GetRequiredService<UserTokenValidator>().ValidateAsync(token);

        Assert.Equal(end, user!.Expires.ToUnixTimeSeconds());
        Assert.Equal(HttpStatusCode.OK, (await service.GetAsync("/user", token)).StatusCode);
    }

    [Fact]
    public async Task A_token_within_the_forgiven_skew_passes()
    {
        await using var service = await RunningService.StartAsync(settings: new() { ["Jwt:ClockSkew"] = "00:02:00" });
        Assert.Equal(HttpStatusCode.OK, (await service.GetAsync("/user", TestTokens.For("alice", expiresIn: -30))).StatusCode);
        await Problems.AssertAsync(HttpStatusCode.Unauthorized, await service.GetAsync("/user", TestTokens.For("alice", expiresIn: -130)));
    }

    [Fact]
    public async Task A_service_calls_another_by_name_with_an_internal_token()
    {
        await using var called = await RunningService.StartAsync();
        await using var caller = await RunningService.StartAsync(
            builder => builder.AddInternalHttpClient<Neighbour>("neighbour"),
            settings: new() { ["services:neighbour:http:0"] = called.Http.BaseAddress!.GetLeftPart(UriPartial.Authority) });

        var name = await caller.App.Services.GetRequiredService<Neighbour>().GetNameAsync();

        Assert.Equal(caller.App.Environment.ApplicationName, name);
    }

    [Fact]
    public async Task A_call_that_must_not_be_repeated_is_sent_once_and_a_read_is_retried()
    {
        var (gets, posts) = (0, 0);
        await using var called = await RunningService.StartAsync(map: app =>
        {
            app.MapGet("/internal/flaky", () => Results.StatusCode(Interlocked.Increment(ref gets) == 1 ? 503 : 200));
            app.MapPost("/internal/flaky", () => Results.StatusCode(Interlocked.Increment(ref posts) == 1 ? 503 : 200));
        });
        await using var caller = await RunningService.StartAsync(
            builder =>
            {
                builder.AddInternalHttpClient<Neighbour>("neighbour");
                builder.Services.ConfigureAll<Microsoft.Extensions.Http.Resilience.HttpStandardResilienceOptions>(
                    options => options.Retry.Delay = TimeSpan.FromMilliseconds(1));
            },
            settings: new() { ["services:neighbour:http:0"] = called.Http.BaseAddress!.GetLeftPart(UriPartial.Authority) });
        var neighbour = caller.App.Services.GetRequiredService<Neighbour>();

        Assert.Equal(HttpStatusCode.OK, await neighbour.TryAsync(HttpMethod.Get));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await neighbour.TryAsync(HttpMethod.Post));
        Assert.Equal((2, 1), (gets, posts));
    }

    private sealed class Neighbour(HttpClient http)
    {
        public Task<string> GetNameAsync() => http.GetStringAsync("/internal/name");

        public async Task<HttpStatusCode> TryAsync(HttpMethod method) =>
            (await http.SendAsync(new HttpRequestMessage(method, "/internal/flaky"))).StatusCode;
    }
}
