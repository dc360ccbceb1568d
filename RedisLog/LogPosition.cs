using System.Globalization;

namespace AspireChat.RedisLog;

/// <summary>
/// A place in a partition's log: the id <c>milliseconds-number</c> of a stream entry, packed into one number that sorts alike and fits a
/// bigint: milliseconds &lt;&lt; 20 | number. Twenty bits hold a million entries in one millisecond, forty-three bits last until the year
/// 2248.
/// </summary>
public readonly record struct LogPosition(long Packed) : IComparable<LogPosition>
{
    private const int NumberBits = 20;

    public static readonly LogPosition None = new(0);

    public long Milliseconds => Packed >> NumberBits;

    public static bool operator <(LogPosition left, LogPosition right) => left.Packed < right.Packed;

    public static bool operator >(LogPosition left, LogPosition right) => left.Packed > right.Packed;

    /// <summary>The first place of a moment, Unix milliseconds.</summary>
    public static LogPosition At(long milliseconds) => new(milliseconds << NumberBits);

    /// <summary>Reads a stream id; empty text is <see cref="None"/>.</summary>
    /// <exception cref="FormatException">Anything else.</exception>
    public static LogPosition Parse(string id)
    {
        if (id.Length == 0)
        {
            return None;
        }
        var dash = id.IndexOf('-');
        if (dash < 0)
        {
            throw new FormatException($"'{id}' is not a stream id.");
        }
        var milliseconds = long.Parse(id.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture);
        var number = long.Parse(id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return new LogPosition((milliseconds << NumberBits) | number);
    }

    public int CompareTo(LogPosition other) => Packed.CompareTo(other.Packed);

    /// <summary>The stream id.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Milliseconds}-{Packed & ((1L << NumberBits) - 1)}");
}
