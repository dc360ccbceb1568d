namespace AspireChat.Client;

/// <summary>A page of a conversation's history. Immutable.</summary>
/// <param name="Items">Newest first, or oldest first if the page was asked for with <c>after</c>. Messages have their present
/// content.</param>
/// <param name="Epoch">The name of the log that the seqs belong to, which changes only if the log is rebuilt.</param>
/// <param name="Head">The conversation's newest seq.</param>
/// <param name="Next">The cursor of the next page, for the argument that this page was asked for with; null at the end.</param>
public sealed record HistoryPage(IReadOnlyList<ChatEvent> Items, string Epoch, long Head, string? Next);

/// <summary>One of the user's conversations.</summary>
/// <param name="Conversation">Which one.</param>
/// <param name="Head">Its newest seq; 0: nothing was said yet.</param>
/// <param name="Read">The user's read cursor.</param>
/// <param name="Unread">Messages by others above it.</param>
/// <param name="Last">Its newest message that was not deleted, as it now reads; null if there is none.</param>
public sealed record ConversationOverview(Conversation Conversation, long Head, long Read, long Unread, ChatEvent? Last)
{
    /// <summary>Unread messages that mention the user.</summary>
    public long Mentions { get; init; }
}
