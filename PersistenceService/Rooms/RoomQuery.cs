namespace AspireChat.PersistenceService.Rooms;

/// <summary>What a caller types to find rooms, as PostgreSQL searches for it. Thread-safe: pure functions.</summary>
internal static class RoomQuery
{
    private const int Longest = 100;
    private const int MostWords = 8;

    /// <summary>
    /// Every word of the query begins a word of the id or the name. Words are separated as 0003_rooms.sql separates them: by spaces and ASCII
    /// punctuation, so nothing of to_tsquery's own language is left in them. Empty: nothing is asked for.
    /// </summary>
    /// <returns>False: the query is too long, or nothing but punctuation.</returns>
    public static bool TryRead(string? query, out string words)
    {
        words = "";
        if (string.IsNullOrEmpty(query))
        {
            return true;
        }

        if (query.Length > Longest || query.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        var found = new string([.. query.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c > 127 ? c : ' ')])
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        words = string.Join(" & ", found.Take(MostWords).Select(word => $"'{word}':*"));
        return words.Length > 0;
    }
}
