using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Signs what the system sends to a product's own servers, as Standard Webhooks 1.0 says: HMAC-SHA256 over <c>id.timestamp.body</c>, in the
/// headers <c>webhook-id</c>, <c>webhook-timestamp</c> and <c>webhook-signature: v1,…</c>. Thread-safe.
/// </summary>
public sealed class WebhookSignature
{
    /// <summary>What a secret begins with; the rest is the key in base64.</summary>
    public const string SecretPrefix = "whsec_";

    private const int ShortestKey = 24;
    private const int LongestKey = 64;

    private readonly byte[] _key;

    /// <exception cref="FormatException">The text is no secret (<see cref="IsSecret"/>).</exception>
    public WebhookSignature(string secret) =>
        _key = KeyOf(secret) ?? throw new FormatException($"A secret is {SecretPrefix} and {ShortestKey} to {LongestKey} bytes in base64.");

    /// <summary>True for <c>whsec_</c> and 24 to 64 bytes in base64, the lengths that Standard Webhooks allows.</summary>
    public static bool IsSecret(string? text) => KeyOf(text) is not null;

    /// <summary>Adds the three headers.</summary>
    /// <param name="id">The same for each repeat of a message.</param>
    /// <param name="now">The moment of this attempt: a receiver refuses an old one, because somebody may have recorded it.</param>
    public void Sign(HttpRequestMessage request, string id, DateTimeOffset now, ReadOnlySpan<byte> body)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hash.AppendData(body);
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", timestamp);
        request.Headers.TryAddWithoutValidation("webhook-signature", "v1," + Convert.ToBase64String(hash.GetHashAndReset()));
    }

    private static byte[]? KeyOf(string? secret)
    {
        if (secret is null || !secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var key = new byte[secret.Length];
        return Convert.TryFromBase64String(secret[SecretPrefix.Length..], key, out var length) && length is >= ShortestKey and <= LongestKey
            ? key[..length]
            : null;
    }
}
