namespace AspireChat.Contracts.Frames;

/// <summary>Limits of a single frame (protocol §4). Immutable.</summary>
public sealed record FrameLimits
{
    /// <summary>Longest content, in UTF-16 code units.</summary>
    public int Content { get; init; } = 8_000;

    /// <summary>Longest nonce, ref, epoch or emoji, in UTF-16 code units.</summary>
    public int ShortText { get; init; } = 64;

    /// <summary>Most conversations in one <c>resume</c>.</summary>
    public int Conversations { get; init; } = 200;

    /// <summary>Most users that one message mentions.</summary>
    public int Mentions { get; init; } = 50;

    /// <summary>Longest <c>meta</c> or <c>data</c>, in bytes.</summary>
    public int Json { get; init; } = 4 * 1_024;

    /// <summary>Most levels of objects and lists within each other in them.</summary>
    public int JsonDepth { get; init; } = 32;
}
