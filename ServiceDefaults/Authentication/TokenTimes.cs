using System.Globalization;
using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// The times in a token: seconds since 1970, fractions allowed (RFC 7519 §2). The token library reads numbers that no date can hold, such
/// as 253402300800 (the year 10000), as the end of all time. Whoever converts them later would fail, so a token with such a number is
/// invalid.
/// </summary>
internal static class TokenTimes
{
    private const decimal Latest = 253_402_300_799; // The last second of the year 9999.

    private static readonly string[] Names =
        [JwtRegisteredClaimNames.Exp, JwtRegisteredClaimNames.Nbf, JwtRegisteredClaimNames.Iat];

    /// <summary>Every time that the token names is one number that a date can hold.</summary>
    public static bool AreValid(ClaimsIdentity identity) => Names.All(name => IsValid(identity.FindAll(name)));

    /// <summary>The time that a claim names, in whole seconds. Null: a number that no date can hold, or no number.</summary>
    public static DateTimeOffset? Parse(string? text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= Latest
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;

    /// <summary>The same in Unix milliseconds, rounded down.</summary>
    public static long? ParseMilliseconds(string? text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= Latest
            ? (long)(seconds * 1_000)
            : null;

    private static bool IsValid(IEnumerable<Claim> claims)
    {
        Claim? only = null;
        foreach (var claim in claims)
        {
            // A list of numbers becomes several claims.
            if (only is not null || Parse(claim.Value) is null)
            {
                return false;
            }

            only = claim;
        }
        return true;
    }
}
