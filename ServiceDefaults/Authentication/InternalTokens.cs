using System.Net.Http.Headers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>Mints the tokens with which services call each other's <c>/internal/…</c> paths. Thread-safe.</summary>
public sealed class InternalTokens(IOptions<JwtOptions> options, TimeProvider time, IHostEnvironment environment)
{
    /// <summary>The audience that no user token may carry.</summary>
    public const string Audience = "aspirechat-internal";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);
    private static readonly JsonWebTokenHandler Writer = new() { SetDefaultTimesOnTokenCreation = false };

    private Minted? _current;

    /// <summary>A token that is good for at least another 30 s. Two callers may mint at the same moment; both tokens are good.</summary>
    public string Take()
    {
        var now = time.GetUtcNow();
        if (_current is { } current && now < current.RenewAt && now >= current.At)
        {
            return current.Token;
        }

        var jwt = options.Value;
        var token = Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = jwt.Issuer,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = (now + Lifetime).UtcDateTime,
            Claims = new Dictionary<string, object> { [JwtRegisteredClaimNames.Sub] = environment.ApplicationName },
            SigningCredentials = new SigningCredentials(jwt.CreateSigningKey(), SecurityAlgorithms.HmacSha256),
        });
        _current = new Minted(token, now, now + (Lifetime / 2));
        return token;
    }

    private sealed record Minted(string Token, DateTimeOffset At, DateTimeOffset RenewAt);
}

/// <summary>Puts an internal token on every request of a client.</summary>
public sealed class InternalTokenHandler(InternalTokens tokens) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Take());
        return base.SendAsync(request, cancellationToken);
    }
}
