using System.Text;

namespace AspireChat.Contracts.Log;

/// <summary>
/// What a message or an edit carries beside its text. Most carry none of it, and have no object of this type. Immutable.
/// </summary>
public sealed record MessageDetails
{
    /// <summary>The seq of the event that the message replies to; 0: none.</summary>
    public long ReplyTo { get; init; }

    /// <summary>The users mentioned, each once. Null: none, and of an edit that it does not say. An edit says "none" by an empty list.</summary>
    public IReadOnlyList<string>? Mentions { get; init; }

    /// <summary>A JSON object on one line. Nobody here looks into it. Null: none, and of an edit that it does not say.</summary>
    public string? Meta { get; init; }

    /// <summary>About the bytes that it adds to an event's record.</summary>
    public int Bytes => 16 + (Meta is null ? 0 : Encoding.UTF8.GetByteCount(Meta)) + (Mentions?.Sum(user => user.Length + 3) ?? 0);

    public bool Equals(MessageDetails? other) =>
        other is not null && ReplyTo == other.ReplyTo && Meta == other.Meta
        && (Mentions is null ? other.Mentions is null : other.Mentions is not null && Mentions.SequenceEqual(other.Mentions));

    public override int GetHashCode() => HashCode.Combine(ReplyTo, Meta, Mentions?.Count);

    /// <summary>What stays of it when the content is deleted; null: nothing.</summary>
    public static MessageDetails? Deleted(MessageDetails? details) =>
        details is { ReplyTo: > 0 } ? new MessageDetails { ReplyTo = details.ReplyTo } : null;

    /// <summary>
    /// A message's details with those that an edit names: the message keeps what it replies to, and whatever the edit does not name.
    /// </summary>
    public static MessageDetails? Edited(MessageDetails? message, IReadOnlyList<string>? mentions, string? meta)
    {
        var now = new MessageDetails
        {
            ReplyTo = message?.ReplyTo ?? 0,
            Mentions = (mentions ?? message?.Mentions) is { Count: > 0 } some ? some : null,
            Meta = meta ?? message?.Meta,
        };
        return now.ReplyTo == 0 && now.Mentions is null && now.Meta is null ? null : now;
    }
}
