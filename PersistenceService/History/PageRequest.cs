using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace AspireChat.PersistenceService.History;

/// <summary>
/// Which part of a conversation is asked for. Exactly one direction: back from <see cref="Before"/> (from the head when null), newest
/// first, or forward from <see cref="After"/>, oldest first. A cursor is the last seq of the page before it, as text.
/// </summary>
internal readonly record struct PageRequest(long? Before, long? After, int Limit)
{
    public const int LargestPage = 200;
    public const string LargestPageText = "200";
    public const int DefaultPage = 50;

    public bool IsForward => After is not null;

    /// <summary>Reads the query's parameters; false with a sentence for the caller when they are not acceptable (protocol §5).</summary>
    public static bool TryParse(
        string? before, string? after, string? limit, out PageRequest page, [NotNullWhen(false)] out string? problem)
    {
        page = default;
        if (before is not null && after is not null)
        {
            problem = "before and after exclude each other.";
            return false;
        }
        long? beforeSeq = null, afterSeq = null;
        if (!TryParse("before", before, ref beforeSeq, out problem) || !TryParse("after", after, ref afterSeq, out problem))
        {
            return false;
        }

        if (!TryParseLimit(limit, out var size, out problem))
        {
            return false;
        }

        page = new PageRequest(beforeSeq, afterSeq, size);
        return true;
    }

    public static bool TryParseLimit(string? text, out int limit, [NotNullWhen(false)] out string? problem)
    {
        long? asked = null;
        limit = 0;
        if (!TryParse("limit", text, ref asked, out problem))
        {
            return false;
        }

        var parsed = asked ?? DefaultPage;
        if (parsed < 1)
        {
            problem = "limit must be at least 1.";
            return false;
        }
        limit = (int)Math.Min(parsed, LargestPage);
        return true;
    }

    private static bool TryParse(string name, string? text, ref long? value, [NotNullWhen(false)] out string? problem)
    {
        problem = null;
        if (text is null)
        {
            return true;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            problem = $"{name} must be a number of at most 18 digits, not negative.";
            return false;
        }
        value = number;
        return true;
    }
}
