using System.Buffers.Text;

namespace AspireChat.Contracts.Frames;

/// <summary>The escapes of a JSON string (RFC 8259 §7). Thread-safe.</summary>
internal static class EscapedText
{
    /// <param name="json">What stands between the quotes, as Utf8JsonReader has accepted it.</param>
    /// <returns>False when an escape is NUL, or a surrogate without its other half.</returns>
    public static bool IsValid(ReadOnlySpan<byte> json)
    {
        while (json.IndexOf((byte)'\\') is var at and >= 0)
        {
            json = json[at..];
            if (json[1] != 'u')
            {
                json = json[2..];
                continue;
            }
            var unit = UnitAt(json);
            json = json[6..];
            if (unit == 0 || char.IsLowSurrogate(unit))
            {
                return false;
            }
            if (!char.IsHighSurrogate(unit))
            {
                continue;
            }
            if (json is not [(byte)'\\', (byte)'u', ..] || !char.IsLowSurrogate(UnitAt(json)))
            {
                return false;
            }
            json = json[6..];
        }
        return true;
    }

    private static char UnitAt(ReadOnlySpan<byte> escape) =>
        Utf8Parser.TryParse(escape.Slice(2, 4), out ushort unit, out _, 'x') ? (char)unit : '\0';
}
