namespace AspireChat.Client;

/// <summary>
/// An event of a conversation's log. Within an <see cref="Epoch"/> the application gets each event once, in the order of <see cref="Seq"/>,
/// which has no holes. Immutable.
/// </summary>
public abstract record ChatEvent(Conversation Conversation) : ConversationItem(Conversation)
{
    /// <summary>The event's id, unique everywhere.</summary>
    public required string Id { get; init; }

    /// <summary>The event's place in the conversation: 1, 2, 3, …</summary>
    public required long Seq { get; init; }

    /// <summary>
    /// The epoch of the log that <see cref="Seq"/> belongs to. Null only on the first events of a direct conversation, until the server has
    /// named it.
    /// </summary>
    public string? Epoch { get; init; }

    /// <summary>The sender's id; <c>system</c>: the server itself.</summary>
    public required string From { get; init; }

    /// <summary>The sender's display name when the event was sent. Null: the sender has none, or the event was read from history.</summary>
    public string? Name { get; init; }

    /// <summary>The server's time.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>The nonce of an event that this client's user sent. Null on other events, and where the server did not tell it.</summary>
    public string? Nonce { get; init; }

    /// <summary>The place behind this event, at which an application can continue.</summary>
    public ConversationCursor Cursor => new(Seq, Epoch);
}

/// <summary>
/// A message. One that was read from history (by a repair or as a page) shows the effect of later events: <see cref="Content"/> is the
/// current text, and empty when <see cref="Deleted"/>. Those events still come at their own seq, and applying them again is harmless.
/// </summary>
public sealed record MessageSent(Conversation Conversation) : ChatEvent(Conversation)
{
    /// <summary>The text.</summary>
    public required string Content { get; init; }

    /// <summary>The message was deleted.</summary>
    public bool Deleted { get; init; }

    /// <summary>Seq of the last edit that <see cref="Content"/> shows; 0 if it is the text as it was sent.</summary>
    public long Edited { get; init; }

    /// <summary>The reactions, of a message that was read from history.</summary>
    public IReadOnlyList<MessageReactions> Reactions { get; init; } = [];

    /// <summary>Seq of the event that this replies to; 0: none.</summary>
    public long ReplyTo { get; init; }

    /// <summary>The users mentioned.</summary>
    public IReadOnlyList<string> Mentions { get; init; } = [];

    /// <summary>The product's own object, JSON; null: none.</summary>
    public string? Meta { get; init; }

    /// <summary>The message shows the events up to this seq; 0: it came live.</summary>
    internal long AsOf { get; init; }
}

/// <summary>The reactions to a message with one emoji.</summary>
/// <param name="Emoji">The emoji.</param>
/// <param name="Users">The first 100 users who reacted with it.</param>
public sealed record MessageReactions(string Emoji, IReadOnlyList<string> Users)
{
    /// <summary>How many users reacted with it.</summary>
    public long Count { get; init; } = Users.Count;
}

/// <summary>The message at <see cref="Target"/> has a new text.</summary>
public sealed record MessageEdited(Conversation Conversation) : ChatEvent(Conversation)
{
    /// <summary>Seq of the message.</summary>
    public required long Target { get; init; }

    /// <summary>The new text; empty when a later deletion has removed it.</summary>
    public required string Content { get; init; }

    /// <summary>The users mentioned from now on; null: as before.</summary>
    public IReadOnlyList<string>? Mentions { get; init; }

    /// <summary>The product's own object from now on, JSON; null: as before.</summary>
    public string? Meta { get; init; }
}

/// <summary>The message at <see cref="Target"/> was deleted.</summary>
public sealed record MessageDeleted(Conversation Conversation) : ChatEvent(Conversation)
{
    /// <summary>Seq of the message.</summary>
    public required long Target { get; init; }
}

/// <summary>A user reacted to the message at <see cref="Target"/>, or took the reaction back.</summary>
public sealed record MessageReacted(Conversation Conversation) : ChatEvent(Conversation)
{
    /// <summary>Seq of the message.</summary>
    public required long Target { get; init; }

    /// <summary>The emoji.</summary>
    public required string Emoji { get; init; }

    /// <summary>The user took the reaction back.</summary>
    public bool Removed { get; init; }
}
