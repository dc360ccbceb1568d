using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Shop;

/// <summary>
/// Tokens for the chat, signed by the shop. AspireChat keeps no accounts: it believes what a token says. They are short-lived, because the
/// clients ask for a new one in time. Thread-safe.
/// </summary>
internal sealed class ChatTokens(IOptions<ChatOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private static readonly JsonWebTokenHandler Writer = new();

    private readonly ChatOptions _chat = options.Value;

    /// <summary>Made anew at each start, which is enough here: the gateway reads a key that it does not know. A product keeps its keys.</summary>
    private readonly RsaSecurityKey _rsa = new(RSA.Create(2048)) { KeyId = Guid.NewGuid().ToString("N") };

    /// <summary>For a person: who they are and how they are shown.</summary>
    public string For(ShopUser user) => Mint(user.Id, new() { ["name"] = user.Name, ["picture"] = user.Picture });

    /// <summary>For the shop's own calls of <c>/api/admin</c>. It never leaves the server.</summary>
    public string ForServer() => Mint(OrderRooms.Bot, new() { ["scope"] = "chat:admin" });

    /// <summary>The public half of the key, as OpenID Connect publishes it.</summary>
    public object PublishedKeys()
    {
        var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_rsa.Rsa.ExportParameters(false)) { KeyId = _rsa.KeyId });
        return new { keys = new[] { new { kty = key.Kty, use = "sig", alg = SecurityAlgorithms.RsaSha256, kid = key.Kid, n = key.N, e = key.E } } };
    }

    private string Mint(string user, Dictionary<string, object> claims)
    {
        claims[JwtRegisteredClaimNames.Sub] = user;
        var now = time.GetUtcNow();
        return Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = _chat.Issuer,
            Audience = _chat.Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = (now + Lifetime).UtcDateTime,
            Claims = claims,
            SigningCredentials = _chat.Signing == ChatSigning.RS256
                ? new SigningCredentials(_rsa, SecurityAlgorithms.RsaSha256)
                : new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(_chat.Key!)), SecurityAlgorithms.HmacSha256),
        });
    }
}

internal static class ChatTokenEndpoints
{
    /// <summary><c>/chat/token</c> for whoever is signed in; with RS256 also what the gateway's <c>Jwt:Authority</c> reads.</summary>
    public static void MapChatTokens(this WebApplication app)
    {
        app.MapGet("/chat/token", (HttpContext context, ChatTokens tokens) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return new { token = tokens.For(context.CurrentUser()) };
        }).RequireAuthorization();

        if (app.Services.GetRequiredService<IOptions<ChatOptions>>().Value is not { Signing: ChatSigning.RS256 } chat)
        {
            return;
        }

        const string keys = "/.well-known/jwks";
        app.MapGet(keys, (ChatTokens tokens) => tokens.PublishedKeys());
        app.MapGet("/.well-known/openid-configuration", (HttpRequest request) =>
            new { issuer = chat.Issuer, jwks_uri = $"{request.Scheme}://{request.Host}{keys}" });
    }
}
