namespace AspireChat.Client;

/// <summary>A message of the user's that is not among the messages of a view yet. Immutable.</summary>
public sealed record PendingMessage
{
    /// <summary>Its name until it has a seq; what <see cref="IConversationView.RetryAsync"/> and the like take.</summary>
    public required string Nonce { get; init; }

    /// <summary>The text.</summary>
    public required string Content { get; init; }

    /// <summary>When it was sent, by this machine's clock.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>How far it has come.</summary>
    public PendingMessageState State { get; init; }

    /// <summary>Its place in the log, once accepted; 0 until then.</summary>
    public long Seq { get; init; }

    /// <summary>Why it failed; null: it did not.</summary>
    public ChatException? Error { get; init; }

    /// <summary>Seq of the event that this replies to; 0: none.</summary>
    public long ReplyTo { get; init; }

    /// <summary>The users mentioned.</summary>
    public IReadOnlyList<string> Mentions { get; init; } = [];

    /// <summary>The product's own object, JSON; null: none.</summary>
    public string? Meta { get; init; }
}

/// <summary>How far a message of the user's has come.</summary>
public enum PendingMessageState
{
    /// <summary>It is not acknowledged. The client sends it, over any number of connections, until it is.</summary>
    Sending,

    /// <summary>It is in the log, and its copy is about to come.</summary>
    Accepted,

    /// <summary>It was refused for good or given up. It waits for the user, who sends it again or discards it.</summary>
    Failed,
}
