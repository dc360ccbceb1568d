using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Contracts.Frames;

/// <summary>The frame types that a client may send (protocol §3). The wire name is the lower-case member name.</summary>
public enum ClientFrameType
{
    Join,
    Leave,
    Room,
    Dm,
    Edit,
    Delete,
    React,
    Typing,
    Read,
    Resume,
    Auth,
    Ping,
    Signal,
}

/// <summary>
/// One valid frame from a client: the fields that its type demands are present and well-formed. Only <see cref="ClientFrameReader"/> makes
/// one. It is large for a structure, so pass it by reference.
/// </summary>
public readonly record struct ClientFrame
{
    public required ClientFrameType Type { get; init; }

    public string? Room { get; init; }

    public string? To { get; init; }

    public string? Content { get; init; }

    public string? Nonce { get; init; }

    /// <summary>The client's <c>ref</c> as raw JSON (a string or a number). The answer repeats it unchanged.</summary>
    public string? Ref { get; init; }

    public long? Since { get; init; }

    public string? Epoch { get; init; }

    public long? Seq { get; init; }

    public long? Target { get; init; }

    public string? Emoji { get; init; }

    public bool Remove { get; init; }

    /// <summary>True also when the frame does not have the field.</summary>
    public bool Active { get; init; }

    public string? Token { get; init; }

    public IReadOnlyList<ResumePoint> Conversations { get; init; }

    /// <summary>Of a message or an edit: what it carries beside its text. Null for most.</summary>
    public MessageDetails? Details { get; init; }

    /// <summary>Only of a <c>signal</c>.</summary>
    public SignalBody? Signal { get; init; }

    /// <summary>The conversation that the frame names by <c>room</c> or <c>to</c>, seen from <paramref name="sender"/>.</summary>
    public ConversationKey ConversationOf(string sender) =>
        Room is not null ? ConversationKey.Room(Room)
        : To is not null ? ConversationKey.Direct(sender, To)
        : throw new InvalidOperationException($"A {Type} frame names no conversation.");
}

/// <summary>A client's place in one conversation. Exactly one of <paramref name="Room"/> and <paramref name="To"/> is set.</summary>
public sealed record ResumePoint(string? Room, string? To, long Since, string? Epoch);

/// <summary>What a signal says.</summary>
/// <param name="Data">JSON, or null.</param>
public sealed record SignalBody(string Name, string? Data);

/// <summary>Why a frame was refused, as the <c>error</c> frame says it. <paramref name="Ref"/> is raw JSON.</summary>
public sealed record FrameError(string Code, string Message, string? Nonce = null, string? Ref = null, int? RetryAfter = null);
