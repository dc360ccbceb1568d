using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Tests.ServiceDefaults;

/// <summary>Tokens of a real provider: its published keys, their rotation, and its outages.</summary>
[Trait("Needs", "Processes")]
public sealed class IssuerKeyTests
{
    [Fact]
    public async Task A_token_of_the_provider_is_accepted_in_both_families_of_keys_and_one_signed_by_the_shared_key_is_not()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var service = await StartAsync(provider);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, await provider.TokenAsync("auth0|64f0c2")));
        await provider.RotateAsync("two", SecurityAlgorithms.EcdsaSha256);
        var token = await provider.TokenAsync("auth0|64f0c2", "Alice Ä");
        Assert.Equal(SecurityAlgorithms.EcdsaSha256, new JsonWebToken(token).Alg);
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, token) == HttpStatusCode.OK, "the new key is known");

        var user = await service.App.Services.GetRequiredService<UserTokenValidator>().ValidateAsync(token);
        Assert.Equal(("auth0|64f0c2", "Alice Ä"), (user!.Id, user.Name));
        Assert.Contains("algorithm", await DetailAsync(service, AspireChat.Tests.Gateway.TestTokens.For("alice")), StringComparison.Ordinal);
        // The published key as the secret of an HMAC: the classic confusion of algorithms.
        Assert.Contains("algorithm", await DetailAsync(service, HmacOf(token, await KeysAsync(provider))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_a_token_of_the_provider_is_told_by_kind()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var service = await StartAsync(provider, skew: "00:00:02");

        Assert.Contains("audience", await DetailAsync(service, await provider.TokenAsync("alice", audience: "somebody")), StringComparison.Ordinal);
        Assert.Contains("user id", await DetailAsync(service, await provider.TokenAsync("a/b")), StringComparison.Ordinal);
        Assert.Contains("signature", await DetailAsync(service, Forged(provider.Address + "/", "one")), StringComparison.Ordinal);
        var brief = await provider.TokenAsync("alice", lifetime: 1);
        var ends = new DateTimeOffset(new JsonWebToken(brief).ValidTo);
        await Eventually.IsTrueAsync(() => TimeProvider.System.GetUtcNow() > ends, "the token has ended");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, brief));
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, brief) == HttpStatusCode.Unauthorized, "the forgiven skew is over");
        Assert.Contains("expired", await DetailAsync(service, brief), StringComparison.Ordinal);
        Assert.True(TimeProvider.System.GetUtcNow() >= ends + TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_new_key_is_accepted_at_once_although_keys_are_seldom_read()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var service = await StartAsync(provider, refresh: "01:00:00", least: "00:00:00.1");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, await provider.TokenAsync("alice")));

        await provider.RotateAsync("two", SecurityAlgorithms.RsaSha256);
        var token = await provider.TokenAsync("alice");

        // The least time between two readings must be over, since the first one was a moment ago.
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, token) == HttpStatusCode.OK, "the new key is known");
    }

    [Fact]
    public async Task Unknown_keys_beforehand_do_not_delay_a_new_one_and_do_not_flood_the_provider()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var service = await StartAsync(provider, refresh: "01:00:00", least: "00:00:02");
        var validator = service.App.Services.GetRequiredService<UserTokenValidator>();
        var start = Stopwatch.GetTimestamp();

        for (var i = 0; i < 300; i++)
        {
            Assert.Null(await validator.ValidateAsync(Forged(provider.Address + "/", $"made up {i}")));
        }

        await provider.RotateAsync("two", SecurityAlgorithms.RsaSha256);
        var token = await provider.TokenAsync("alice");
        await Eventually.IsTrueAsync(async () => await validator.ValidateAsync(token) is not null, "the new key is known");

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Assert.InRange(await provider.ReadingsAsync(), 2, 2 + (int)(seconds / 2));
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_after_the_next_reading()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var service = await StartAsync(provider, refresh: "00:00:00.2");
        var one = await provider.TokenAsync("alice");
        await provider.RotateAsync("two", SecurityAlgorithms.EcdsaSha256);
        var two = await provider.TokenAsync("alice");
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, two) == HttpStatusCode.OK, "the new key is known");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, one));

        await provider.WithdrawAsync("one");

        await Eventually.IsTrueAsync(
            async () => await StatusAsync(service, one) == HttpStatusCode.Unauthorized, "the withdrawn key is refused");
        Assert.Contains("signature", await DetailAsync(service, one), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, two));
    }

    [Fact]
    public async Task While_the_provider_is_away_its_last_keys_stay_for_a_bounded_time_and_one_line_tells_of_it()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var service = await StartAsync(provider, refresh: "00:00:00.2", least: "00:00:00.1", keptFor: "00:00:03");
        var token = await provider.TokenAsync("alice");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, token));

        await provider.StopAsync();
        await Eventually.IsTrueAsync(
            () => service.Logs.Lines.Any(line => line.Contains("cannot be read (", StringComparison.Ordinal)), "a reading has failed");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, token));

        await Eventually.IsTrueAsync(
            async () => await StatusAsync(service, token) == HttpStatusCode.ServiceUnavailable, "the last keys have ended");
        var response = await service.GetAsync("/user", token);
        Assert.Equal("unavailable", await Problems.CodeOfAsync(HttpStatusCode.ServiceUnavailable, response));
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Single(service.Logs.Lines, line => line.Contains("cannot be read (", StringComparison.Ordinal));

        await provider.StartAsync();
        var fresh = await provider.TokenAsync("alice");
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, fresh) == HttpStatusCode.OK, "the provider is back");
    }

    [Fact]
    public async Task A_service_that_starts_before_its_provider_answers_503_until_the_provider_is_there()
    {
        await using var provider = ProviderProcess.Create();
        await using var service = await StartAsync(provider);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(service, Forged(provider.Address + "/", "one")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, ""));

        await provider.StartAsync();
        var token = await provider.TokenAsync("alice");
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, token) == HttpStatusCode.OK, "the keys are read");
    }

    private static async Task<HttpStatusCode> StatusAsync(RunningService service, string token) =>
        (await service.GetAsync("/user", token)).StatusCode;

    private static async Task<string> DetailAsync(RunningService service, string token) =>
        (await Problems.AssertAsync(HttpStatusCode.Unauthorized, await service.GetAsync("/user", token))).GetProperty("detail").GetString()!;

    private static async Task<string> KeysAsync(ProviderProcess provider)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync($"{provider.Address}/.well-known/jwks");
    }

    /// <summary>A token that names one of the provider's keys and is signed by another.</summary>
    private static string Forged(string issuer, string id)
    {
        using var key = RSA.Create(2048);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = "aspirechat",
            Expires = TimeProvider.System.GetUtcNow().AddMinutes(10).UtcDateTime,
            Claims = new Dictionary<string, object> { ["sub"] = "alice" },
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(key) { KeyId = id }, SecurityAlgorithms.RsaSha256)
            {
                CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
            },
        });
    }

    private static string HmacOf(string token, string secret)
    {
        var content = $"{Base64UrlEncoder.Encode("""{"alg":"HS256","typ":"JWT","kid":"one"}""")}.{token.Split('.')[1]}";
        var signature = HMACSHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret), System.Text.Encoding.UTF8.GetBytes(content));
        return $"{content}.{Base64UrlEncoder.Encode(signature)}";
    }

    private static Task<RunningService> StartAsync(
        ProviderProcess provider, string refresh = "00:00:00.2", string least = "00:00:00.1", string keptFor = "01:00:00", string skew = "00:00:05") =>
        RunningService.StartAsync(settings: new()
        {
            ["Jwt:Authority"] = provider.Address,
            ["Jwt:KeyRefresh"] = refresh,
            ["Jwt:KeyRefreshLeast"] = least,
            ["Jwt:KeysKeptFor"] = keptFor,
            ["Jwt:ClockSkew"] = skew,
        });
}
