namespace AspireChat.Client;

/// <summary>What a message or an edit carries beside its text. Immutable.</summary>
public sealed record ChatMessageOptions
{
    /// <summary>1–64 characters, unique in the conversation; null: a new one is made.</summary>
    public string? Nonce { get; init; }

    /// <summary>Seq of the event of the same conversation that the message replies to. An edit cannot change it.</summary>
    public long? ReplyTo { get; init; }

    /// <summary>At most 50 users. Of an edit: null leaves them as they are, an empty list mentions nobody any more.</summary>
    public IReadOnlyList<string>? Mentions { get; init; }

    /// <summary>A JSON object of the product's own, at most 4 KiB. Of an edit: null leaves it as it is.</summary>
    public string? Meta { get; init; }
}
