namespace AspireChat.Client;

/// <summary>What a message of the server carries beside its text. Immutable.</summary>
public sealed record ChatServerMessageOptions
{
    /// <summary>Who sends it: any user, a member or not; null: <c>system</c>.</summary>
    public string? From { get; init; }

    /// <summary>
    /// 1–64 characters, unique for the sender and the conversation; null: a new one is made. A second send with the same nonce within 24 h
    /// is no second message, and its answer is the first one's with <see cref="SendReceipt.Duplicate"/>. Give one of your own, e.g. the id
    /// of an order, so that you can send again after a crash.
    /// </summary>
    public string? Nonce { get; init; }

    /// <summary>Seq of the event of the same conversation that the message replies to; null: none.</summary>
    public long? ReplyTo { get; init; }

    /// <summary>At most 50 users whom it mentions; null: none.</summary>
    public IReadOnlyList<string>? Mentions { get; init; }

    /// <summary>A JSON object of the product's own, at most 4 KiB; null: none.</summary>
    public string? Meta { get; init; }
}
