using System.Globalization;
using AspireChat.Contracts.Conversations;

namespace AspireChat.PersistenceService.Search;

/// <summary>
/// A place among the found messages, which are ordered by time, conversation and seq, all falling; in one conversation by seq alone. Its text is
/// opaque to clients: <c>microseconds.seq.key</c>.
/// </summary>
internal readonly record struct SearchCursor(long Moment, string Conversation, long Seq)
{
    /// <summary>Before the first: later than any moment that PostgreSQL knows here, the year 9999.</summary>
    public static SearchCursor Start { get; } = new(DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() * 1_000, "", long.MaxValue);

    /// <summary>The moment as PostgreSQL has it.</summary>
    public DateTime Time => DateTime.UnixEpoch.AddMicroseconds(Moment);

    public static SearchCursor Of(DateTime time, string conversation, long seq) =>
        new((time.ToUniversalTime() - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, conversation, seq);

    public static bool TryParse(string text, out SearchCursor cursor)
    {
        cursor = default;
        var parts = text.Split('.', 3);
        if (parts.Length < 3
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var moment) || moment > Start.Moment
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            || !ConversationKey.TryParse(parts[2], out var conversation))
        {
            return false;
        }

        cursor = new SearchCursor(moment, conversation.Value, seq);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Moment}.{Seq}.{Conversation}");
}
