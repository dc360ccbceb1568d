namespace AspireChat.Client;

/// <summary>Why a request of the application failed for good. Passing faults are retried and never thrown.</summary>
/// <param name="code">One of <see cref="ChatErrorCodes"/>.</param>
/// <param name="message">What happened, for a log.</param>
/// <param name="inner">The cause; null: none.</param>
public sealed class ChatException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="ChatErrorCodes"/>. A newer server may have others.</summary>
    public string Code { get; } = code;

    /// <summary>The HTTP status behind it, where there was one.</summary>
    public int? Status { get; init; }

    /// <summary>The WebSocket close code behind it (<see cref="ChatCloseCodes"/>), where there was one.</summary>
    public int? CloseCode { get; init; }

    /// <summary>The option that cannot work, of <see cref="ChatErrorCodes.BadOption"/>.</summary>
    public string? Option { get; init; }

    /// <summary>When the server takes the call again; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>To ask again is of no use.</summary>
    internal bool IsFinal { get; init; }

    /// <summary>The same fault, to be thrown by another call.</summary>
    internal ChatException Again() => new(Code, Message, InnerException)
    {
        Status = Status, RetryAfter = RetryAfter, CloseCode = CloseCode, Option = Option,
    };
}
