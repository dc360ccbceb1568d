namespace AspireChat.Client;

/// <summary>A page of a conversation's history. Immutable.</summary>
/// <param name="Items">Newest first, or oldest first if it was asked for with <c>after</c>. Messages are as they stand now.</param>
/// <param name="Head">The conversation's newest seq.</param>
/// <param name="Next">Where the next page begins, to be given as the same argument; null at the end.</param>
public sealed record HistoryPage(IReadOnlyList<ChatEvent> Items, string Epoch, long Head, string? Next);

/// <summary>One of the user's conversations.</summary>
/// <param name="Head">Its newest seq.</param>
/// <param name="Read">The user's read cursor.</param>
/// <param name="Unread">Messages by others above it.</param>
/// <param name="Last">Its newest event, where there is one.</param>
public sealed record ConversationOverview(Conversation Conversation, long Head, long Read, long Unread, ChatEvent? Last);
