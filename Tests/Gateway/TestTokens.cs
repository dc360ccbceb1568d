using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Tests.Gateway;

/// <summary>Tokens as an issuer, or a forger, would write them.</summary>
internal static class TestTokens
{
    public const string Key = "a key of the tests, long enough for HS512: 0123456789 0123456789 0123456789";

    private static readonly JsonWebTokenHandler Writer = new() { SetDefaultTimesOnTokenCreation = false };

    public static string For(
        string? user, string? scope = null, string key = Key, string issuer = "aspirechat", string audience = "aspirechat",
        string algorithm = SecurityAlgorithms.HmacSha256, int? expiresIn = 600, int startsIn = -60,
        string? name = null, DateTimeOffset? issued = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        Dictionary<string, object> claims = [];
        if (user is not null)
        {
            claims["sub"] = user;
        }

        if (scope is not null)
        {
            claims["scope"] = scope;
        }

        if (name is not null)
        {
            claims["name"] = name;
        }

        return Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            IssuedAt = issued?.UtcDateTime,
            NotBefore = now.AddSeconds(startsIn).UtcDateTime,
            Expires = expiresIn is { } seconds ? now.AddSeconds(seconds).UtcDateTime : null,
            Claims = claims,
            SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(key)), algorithm),
        });
    }

    /// <summary>A well-signed token with whatever claims are given, as only the holder of the key could write it.</summary>
    /// <param name="claims">Members of the JSON object, besides issuer, audience and subject (alice).</param>
    public static string Raw(string claims)
    {
        var content = Base64UrlEncoder.Encode("""{"alg":"HS256","typ":"JWT"}""") + "."
            + Base64UrlEncoder.Encode($$"""{"iss":"aspirechat","aud":"aspirechat","sub":"alice",{{claims}}}""");
        return $"{content}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), Encoding.UTF8.GetBytes(content)))}";
    }

    /// <summary>A good token's claims under a header that says <c>alg: none</c>, with an empty signature or the old one.</summary>
    public static string WithoutAlgorithm(string user, bool keepSignature = false)
    {
        var parts = For(user).Split('.');
        var header = Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""");
        return $"{header}.{parts[1]}.{(keepSignature ? parts[2] : "")}";
    }

    /// <summary>A good token whose claims were changed after signing.</summary>
    public static string Altered(string user, string into)
    {
        var parts = For(user).Split('.');
        var claims = Base64UrlEncoder.Decode(parts[1]).Replace($"\"{user}\"", $"\"{into}\"", StringComparison.Ordinal);
        return $"{parts[0]}.{Base64UrlEncoder.Encode(claims)}.{parts[2]}";
    }

    /// <summary>The part of a token that nothing else contains; where it is found, the token has leaked.</summary>
    public static string SignatureOf(string token) => token.Split('.')[2];
}
