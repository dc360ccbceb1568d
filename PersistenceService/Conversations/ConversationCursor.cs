using System.Globalization;
using AspireChat.Contracts.Conversations;

namespace AspireChat.PersistenceService.Conversations;

/// <summary>
/// A place in the list of a user's conversations, which is ordered by the time of the last message and key, both falling. Its text is opaque to clients:
/// <c>microseconds.key</c>.
/// </summary>
internal readonly record struct ConversationCursor(long Messaged, string Conversation)
{
    /// <summary>Before the first.</summary>
    public static ConversationCursor Start { get; } = new(long.MaxValue, "");

    public static bool TryParse(string text, out ConversationCursor cursor)
    {
        cursor = default;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !long.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var messaged)
            || !ConversationKey.TryParse(text[(dot + 1)..], out var conversation))
        {
            return false;
        }

        cursor = new ConversationCursor(messaged, conversation.Value);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Messaged}.{Conversation}");
}
