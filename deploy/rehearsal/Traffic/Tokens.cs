using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AspireChat.Traffic;

/// <summary>Signs tokens as an operator who holds the key would: in production there is no <c>/dev/token</c>.</summary>
internal static class Tokens
{
    public static string For(string user, string key)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = string.Create(CultureInfo.InvariantCulture,
            $$"""{"sub":"{{user}}","iss":"aspirechat","aud":"aspirechat","iat":{{now}},"nbf":{{now - 60}},"exp":{{now + 7200}}}""");
        var signed = $"{Encode("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
