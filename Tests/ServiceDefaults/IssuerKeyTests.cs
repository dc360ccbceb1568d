using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class IssuerKeyTests
{
    [Fact]
    public async Task A_token_of_the_issuer_is_accepted_and_one_signed_by_the_shared_key_is_not()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var service = await StartAsync(issuer);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, issuer.Sign("one")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(service, AspireChat.Tests.Gateway.TestTokens.For("alice")));
    }

    [Fact]
    public async Task A_new_key_is_accepted_at_once_although_keys_are_seldom_read()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var service = await StartAsync(issuer, refresh: "01:00:00", least: "00:00:00.1");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, issuer.Sign("one")));

        issuer.Publish("two");
        var token = issuer.Sign("two");

        // The least time between two readings must be over, since the first one was a moment ago.
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, token) == HttpStatusCode.OK, "the new key is known");
    }

    [Fact]
    public async Task Unknown_keys_beforehand_do_not_delay_a_new_one_and_do_not_flood_the_issuer()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var service = await StartAsync(issuer, refresh: "01:00:00", least: "00:00:02");
        var validator = service.App.Services.GetRequiredService<UserTokenValidator>();
        using var forged = RSA.Create(2048);
        var start = Stopwatch.GetTimestamp();

        for (var i = 0; i < 300; i++)
        {
            Assert.Null(await validator.ValidateAsync(Issuer.Sign(issuer.Address, $"made up {i}", forged)));
        }

        issuer.Publish("two");
        await Eventually.IsTrueAsync(async () => await validator.ValidateAsync(issuer.Sign("two")) is not null, "the new key is known");

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Assert.InRange(issuer.Readings, 2, 2 + (int)(seconds / 2));
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_after_the_next_reading()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var service = await StartAsync(issuer, refresh: "00:00:00.2");
        issuer.Publish("two");
        var (one, two) = (issuer.Sign("one"), issuer.Sign("two"));
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, two) == HttpStatusCode.OK, "the new key is known");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, one));

        issuer.Withdraw("one");

        await Eventually.IsTrueAsync(
            async () => await StatusAsync(service, one) == HttpStatusCode.Unauthorized, "the withdrawn key is refused");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, two));
    }

    [Fact]
    public async Task While_the_issuer_is_away_its_last_keys_stay_for_a_bounded_time_and_one_line_tells_of_it()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var service = await StartAsync(issuer, refresh: "00:00:00.2", least: "00:00:00.1", keptFor: "00:00:03");
        var token = issuer.Sign("one");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, token));

        issuer.IsAway = true;
        var readings = issuer.Readings;
        await Eventually.IsTrueAsync(() => issuer.Readings >= readings + 3, "readings have failed");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(service, token));

        await Eventually.IsTrueAsync(
            async () => await StatusAsync(service, token) == HttpStatusCode.ServiceUnavailable, "the last keys have ended");
        var response = await service.GetAsync("/user", token);
        Assert.Equal("unavailable", await Problems.CodeOfAsync(HttpStatusCode.ServiceUnavailable, response));
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Single(service.Logs.Lines, line => line.Contains("cannot be read (", StringComparison.Ordinal));

        issuer.IsAway = false;
        await Eventually.IsTrueAsync(async () => await StatusAsync(service, token) == HttpStatusCode.OK, "the issuer is back");
    }

    private static async Task<HttpStatusCode> StatusAsync(RunningService service, string token) =>
        (await service.GetAsync("/user", token)).StatusCode;

    private static Task<RunningService> StartAsync(
        Issuer issuer, string refresh = "00:00:00.2", string least = "00:00:00.1", string keptFor = "01:00:00") =>
        RunningService.StartAsync(settings: new()
        {
            ["Jwt:Authority"] = issuer.Address,
            ["Jwt:KeyRefresh"] = refresh,
            ["Jwt:KeyRefreshLeast"] = least,
            ["Jwt:KeysKeptFor"] = keptFor,
        });

    /// <summary>An OpenID Connect provider as far as its published keys go.</summary>
    private sealed class Issuer : IAsyncDisposable
    {
        private static readonly JsonWebTokenHandler Writer = new() { SetDefaultTimesOnTokenCreation = false };

        private readonly WebApplication _app;
        private readonly Dictionary<string, RSA> _keys = [];
        private readonly List<string> _published = [];
        private int _readings;

        private Issuer(WebApplication app) => _app = app;

        public string Address => _app.Urls.First();

        public bool IsAway { get; set; }

        /// <summary>How often the discovery document was asked for.</summary>
        public int Readings => Volatile.Read(ref _readings);

        public static async Task<Issuer> StartAsync()
        {
            var builder = WebApplication.CreateBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            var app = builder.Build();
            var issuer = new Issuer(app);
            app.MapGet("/.well-known/openid-configuration", () =>
            {
                Interlocked.Increment(ref issuer._readings);
                return issuer.IsAway ? Results.StatusCode(503)
                    : Results.Json(new Dictionary<string, string> { ["issuer"] = issuer.Address, ["jwks_uri"] = $"{issuer.Address}/keys" });
            });
            app.MapGet("/keys", issuer.Keys);
            issuer.Publish("one");
            await app.StartAsync();
            return issuer;
        }

        public void Publish(string id)
        {
            lock (_keys)
            {
                _keys.TryAdd(id, RSA.Create(2048));
                _published.Add(id);
            }
        }

        public void Withdraw(string id)
        {
            lock (_keys)
            {
                _published.Remove(id);
            }
        }

        public string Sign(string id) => Sign(Address, id, _keys[id]);

        public static string Sign(string issuer, string id, RSA key) => Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = "aspirechat",
            Expires = TimeProvider.System.GetUtcNow().AddMinutes(10).UtcDateTime,
            Claims = new Dictionary<string, object> { ["sub"] = "alice" },
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(key) { KeyId = id }, SecurityAlgorithms.RsaSha256),
        });

        public async ValueTask DisposeAsync()
        {
            await _app.DisposeAsync();
            foreach (var key in _keys.Values)
            {
                key.Dispose();
            }
        }

        private IResult Keys()
        {
            lock (_keys)
            {
                return Results.Json(new
                {
                    keys = _published.Select(id =>
                    {
                        var key = _keys[id].ExportParameters(includePrivateParameters: false);
                        return new
                        {
                            kty = "RSA",
                            use = "sig",
                            alg = "RS256",
                            kid = id,
                            n = Base64UrlEncoder.Encode(key.Modulus),
                            e = Base64UrlEncoder.Encode(key.Exponent),
                        };
                    }).ToArray(),
                });
            }
        }
    }
}
