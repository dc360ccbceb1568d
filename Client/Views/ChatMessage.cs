namespace AspireChat.Client;

/// <summary>A message as it now reads: with its edits, its deletion and its reactions applied. Immutable.</summary>
public sealed record ChatMessage
{
    /// <summary>The event's id.</summary>
    public required string Id { get; init; }

    /// <summary>The message's place in the conversation; what edits, deletions, reactions and replies name.</summary>
    public required long Seq { get; init; }

    /// <summary>The sender's id.</summary>
    public required string From { get; init; }

    /// <summary>The sender's display name when the message was sent; null: none, or it was read from history.</summary>
    public string? Name { get; init; }

    /// <summary>Whether the client's own user sent it.</summary>
    public required bool IsOwn { get; init; }

    /// <summary>The current text; empty when <see cref="IsDeleted"/>.</summary>
    public required string Content { get; init; }

    /// <summary>The server's time.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Seq of the last edit; 0: it reads as it was sent.</summary>
    public long Edited { get; init; }

    /// <summary>The message was deleted. Its place in the conversation and what it replied to stay.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>The reactions, in the order in which each emoji was first used.</summary>
    public IReadOnlyList<MessageReactions> Reactions { get; init; } = [];

    /// <summary>Seq of the event that this replies to; 0: none.</summary>
    public long ReplyTo { get; init; }

    /// <summary>The users mentioned.</summary>
    public IReadOnlyList<string> Mentions { get; init; } = [];

    /// <summary>The product's own object, JSON; null: none.</summary>
    public string? Meta { get; init; }

    /// <summary>The reactions show the events up to this seq.</summary>
    internal long AsOf { get; init; }
}
