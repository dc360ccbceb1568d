using System.Globalization;

namespace AspireChat.Contracts;

/// <summary>RFC 3339 UTC with milliseconds, the only time format on the wire (protocol §3). Storage has Unix milliseconds.</summary>
public static class Timestamps
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>Formats Unix milliseconds, e.g. <c>2026-01-31T23:59:59.123Z</c>.</summary>
    public static string ToText(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>Formats <paramref name="time"/> in UTC, truncated to milliseconds.</summary>
    public static string ToText(DateTimeOffset time) => ToText(time.ToUnixTimeMilliseconds());

    /// <summary>Reads the format of <see cref="ToText(long)"/>. False for any other text.</summary>
    public static bool TryParse(string? text, out long unixMilliseconds)
    {
        var ok = DateTime.TryParseExact(text, Format, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time);
        unixMilliseconds = ok ? new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeMilliseconds() : 0;
        return ok;
    }
}
