using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>Why a request of the application will not succeed any more. What passes by itself is retried and never thrown.</summary>
/// <param name="code">One of <see cref="ErrorCodes"/>, as the server said, or of <see cref="ChatFaults"/>.</param>
public sealed class ChatException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="ErrorCodes"/> or <see cref="ChatFaults"/>.</summary>
    public string Code { get; } = code;

    /// <summary>The HTTP status behind it, where there was one.</summary>
    public int? Status { get; init; }
}

/// <summary>Codes that the client itself gives, beside the server's <see cref="ErrorCodes"/>.</summary>
public static class ChatFaults
{
    /// <summary>The client was disposed, or the server told it to stay away (<see cref="ConnectionState.Closed"/>).</summary>
    public const string Closed = "closed";

    /// <summary>More sends wait than <see cref="ChatClientOptions.SendQueueLimit"/>.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>
    /// A send found no connection for so long that a repeat could become a second message; it may or may not be in the log.
    /// </summary>
    public const string Expired = "expired";

    /// <summary>The conversation's log was rebuilt, so what was asked about the old one has no answer.</summary>
    public const string EpochChanged = "epoch_changed";

    /// <summary>The token provider failed.</summary>
    public const string Token = "token";

    /// <summary>History could not be asked.</summary>
    public const string History = "history";
}
