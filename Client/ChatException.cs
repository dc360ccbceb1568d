using AspireChat.Contracts.Frames;

namespace AspireChat.Client;

/// <summary>Why a request of the application failed for good. Passing faults are retried and never thrown.</summary>
/// <param name="code">One of <see cref="ErrorCodes"/> from the server, or one of <see cref="ChatFaults"/>.</param>
/// <param name="message">What happened, for a log.</param>
/// <param name="inner">The cause; null: none.</param>
public sealed class ChatException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="ErrorCodes"/> or <see cref="ChatFaults"/>.</summary>
    public string Code { get; } = code;

    /// <summary>The HTTP status behind it, where there was one.</summary>
    public int? Status { get; init; }

    /// <summary>The WebSocket close code behind it (<see cref="CloseCodes"/>), where there was one.</summary>
    public int? CloseCode { get; init; }

    /// <summary>The option that cannot work, of <see cref="ChatFaults.BadOption"/>.</summary>
    public string? Option { get; init; }

    /// <summary>To ask again is of no use.</summary>
    internal bool IsFinal { get; init; }

    /// <summary>The same fault, to be thrown by another call.</summary>
    internal ChatException Again() => new(Code, Message, InnerException) 
    {
        Status = Status, RetryAfter = RetryAfter, CloseCode = CloseCode, Option = Option,
    };

    /// <summary>When the server takes the call again; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>Codes of the client itself, in addition to the server's <see cref="ErrorCodes"/>.</summary>
public static class ChatFaults
{
    /// <summary>An option cannot work. <see cref="ChatException.Option"/> names it.</summary>
    public const string BadOption = "bad_option";

    /// <summary>
    /// The client was disposed, or the server told it to stay away (<see cref="ConnectionState.Closed"/>;
    /// <see cref="ChatException.CloseCode"/> says why).
    /// </summary>
    public const string Closed = "closed";

    /// <summary>The token is another user's than before.</summary>
    public const string Forbidden = ErrorCodes.Forbidden;

    /// <summary><see cref="ChatClientOptions.SendQueueLimit"/> sends wait already.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>
    /// A send waited so long that a repeat could become a second message. It may or may not be in the log.
    /// </summary>
    public const string Expired = "expired";

    /// <summary>The conversation's log was rebuilt, so a question about the old one has no answer.</summary>
    public const string EpochChanged = "epoch_changed";

    /// <summary>
    /// There is no token: the provider failed or gave something that is no token, or the server refused two tokens in a row
    /// (<see cref="ChatException.Status"/> 401 or 403, or <see cref="ChatException.CloseCode"/> 4002).
    /// </summary>
    public const string Token = "token";

    /// <summary>History did not answer, or its answer could not be used.</summary>
    public const string History = "history";

    /// <summary>
    /// A call over HTTP had no answer within its deadline. It may or may not have been carried out; repeating it is harmless, except where
    /// the call says otherwise.
    /// </summary>
    public const string NoAnswer = "no_answer";

    /// <summary>An answer over HTTP that is no answer of this protocol, e.g. of a proxy. <see cref="ChatException.Status"/> has its status.</summary>
    public const string BadAnswer = "bad_answer";
}
