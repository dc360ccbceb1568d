namespace AspireChat.Client;

/// <summary>
/// An event of a conversation's log. Within an <see cref="Epoch"/> the application gets each conversation's events once each and in the
/// order of <see cref="Seq"/>, which has no holes. Immutable.
/// </summary>
public abstract record ChatEvent(Conversation Conversation) : ConversationItem(Conversation)
{
    public required string Id { get; init; }

    public required long Seq { get; init; }

    /// <summary>
    /// The log that <see cref="Seq"/> belongs to; null only on the first events of a direct conversation, until the server has named it.
    /// </summary>
    public string? Epoch { get; init; }

    public required string From { get; init; }

    /// <summary>The server's time.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>The nonce of an event that this client's user sent, where the server told it; else null.</summary>
    public string? Nonce { get; init; }

    /// <summary>Where to go on from after this event.</summary>
    public Cursor Cursor => new(Seq, Epoch);
}

/// <summary>
/// A message. Read from history (a repair, a page), it is what later events made of it: <see cref="Content"/> is the current text, empty
/// when <see cref="Deleted"/>. Those events come at their own seq all the same, so apply them as if for the first time.
/// </summary>
public sealed record MessageSent(Conversation Conversation) : ChatEvent(Conversation)
{
    public required string Content { get; init; }

    public bool Deleted { get; init; }

    /// <summary>Seq of the last edit that <see cref="Content"/> shows; 0: as it was sent.</summary>
    public long Edited { get; init; }

    public IReadOnlyList<MessageReactions> Reactions { get; init; } = [];
}

/// <param name="Users">Who reacted with it.</param>
public sealed record MessageReactions(string Emoji, IReadOnlyList<string> Users);

/// <summary>The message at <see cref="Target"/> has a new text.</summary>
public sealed record MessageEdited(Conversation Conversation) : ChatEvent(Conversation)
{
    public required long Target { get; init; }

    /// <summary>The new text; empty when a later deletion has removed it.</summary>
    public required string Content { get; init; }
}

/// <summary>The message at <see cref="Target"/> is gone.</summary>
public sealed record MessageDeleted(Conversation Conversation) : ChatEvent(Conversation)
{
    public required long Target { get; init; }
}

/// <summary>A reaction to the message at <see cref="Target"/> was given, or taken back.</summary>
public sealed record MessageReacted(Conversation Conversation) : ChatEvent(Conversation)
{
    public required long Target { get; init; }

    public required string Emoji { get; init; }

    public bool Removed { get; init; }
}
