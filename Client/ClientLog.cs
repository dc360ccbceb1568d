using Microsoft.Extensions.Logging;

namespace AspireChat.Client;

/// <summary>
/// What the client logs, with the ids 5000–5999. Each warning says what happens next. Some are written inside the session's gate, so a
/// logger must not call the client.
/// </summary>
internal static partial class ClientLog
{
    private const int First = 5000;

    [LoggerMessage(First + 1, LogLevel.Information, "Connected to node {Node} as {User}.")]
    public static partial void Connected(ILogger log, string? node, string? user);

    [LoggerMessage(First + 2, LogLevel.Warning,
        "The connection ended ({Code}: {Reason}). The client connects again in {Wait}; sends are kept and missed events follow.")]
    public static partial void Lost(ILogger log, int? code, string reason, TimeSpan wait);

    [LoggerMessage(First + 3, LogLevel.Error,
        "There will be no connection ({Fault}: {Reason}). All waiting calls fail; the client stays away until ConnectAsync is called.")]
    public static partial void Ended(ILogger log, string fault, string reason);

    [LoggerMessage(First + 4, LogLevel.Error,
        "The client failed, which is a bug in it. All waiting calls fail; the client stays away until ConnectAsync is called.")]
    public static partial void Failed(ILogger log, Exception fault);

    [LoggerMessage(First + 5, LogLevel.Warning, "{Fault} of {Conversation}: {Message}. {Next}")]
    public static partial void Fault(ILogger log, string fault, Conversation? conversation, string message, string next);

    [LoggerMessage(First + 6, LogLevel.Warning,
        "The log of {Conversation} was rebuilt as epoch {Epoch}. The application is told to read history up to {Head} again; events continue behind it.")]
    public static partial void Reset(ILogger log, Conversation conversation, string epoch, long head);

    [LoggerMessage(First + 7, LogLevel.Warning,
        "History does not have the events {From} to {To} of {Conversation}. The application is told of the gap; later events follow.")]
    public static partial void Gap(ILogger log, long from, long to, Conversation conversation);

    [LoggerMessage(First + 8, LogLevel.Warning, "{Conversation} was left: {Reason}. The client does not join it again by itself.")]
    public static partial void Left(ILogger log, Conversation conversation, string reason);

    [LoggerMessage(First + 9, LogLevel.Debug, "The server gives no tickets ({Status}). The sockets of this session go through the gateway.")]
    public static partial void NoTickets(ILogger log, int status);

    [LoggerMessage(First + 10, LogLevel.Warning,
        "No socket at the node's own address {Address}: {Reason}. This one goes through the gateway; the address is tried again after {Pause}.")]
    public static partial void NoDirectSocket(ILogger log, string address, string reason, TimeSpan pause);

    [LoggerMessage(First + 11, LogLevel.Error, "A handler of a view's Changed event failed. The other handlers are called all the same.")]
    public static partial void HandlerFailed(ILogger log, Exception fault);

    /// <summary>What follows a fault that the client works around.</summary>
    public static string NextAfter(string code) => code switch
    {
        ChatErrorCodes.Token => "The provider is asked again.",
        ChatErrorCodes.History => "History is asked again; the conversation's events wait until it answers.",
        ChatErrorCodes.EpochChanged => "History is asked which log is the right one.",
        _ => "The client goes on without it.",
    };
}
