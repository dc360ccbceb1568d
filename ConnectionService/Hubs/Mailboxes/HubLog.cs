using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>Log messages of the hubs: event ids 2000–2099.</summary>
internal static partial class HubLog
{
    [LoggerMessage(LogEvents.Connection + 0, LogLevel.Critical, "A hub failed on a {Message}: this is a bug")]
    public static partial void HandlingFailed(ILogger logger, Exception error, string message);

    [LoggerMessage(LogEvents.Connection + 1, LogLevel.Error, "{Conversation}: seq {Seq} of epoch {Epoch} is claimed by events {Known} and {Other}")]
    public static partial void ConflictingEvent(ILogger logger, string conversation, string epoch, long seq, Guid known, Guid other);

    [LoggerMessage(LogEvents.Connection + 2, LogLevel.Error,
        "{Conversation}: the log's head {Head} is behind {Delivered}, which was delivered, in the same epoch")]
    public static partial void LogWentBack(ILogger logger, string conversation, long head, long delivered);

    [LoggerMessage(LogEvents.Connection + 3, LogLevel.Warning, "{Conversation}: epoch {OldEpoch} ended at seq {Last}, epoch {Epoch} goes on behind {Head}")]
    public static partial void EpochChanged(ILogger logger, string conversation, string oldEpoch, long last, string epoch, long head);

    [LoggerMessage(LogEvents.Connection + 4, LogLevel.Warning, "{Conversation}: the tail no longer holds the events between seq {From} and {Head}")]
    public static partial void HoleFound(ILogger logger, string conversation, long from, long head);

    [LoggerMessage(LogEvents.Connection + 5, LogLevel.Warning, "Unreadable message on channel {Channel}")]
    public static partial void UnreadableMessage(ILogger logger, string channel);

    [LoggerMessage(LogEvents.Connection + 6, LogLevel.Warning, "The mailbox of a hub is full: messages of {Channel} were dropped, the log will be read")]
    public static partial void MailboxFull(ILogger logger, string channel);

    [LoggerMessage(LogEvents.Connection + 8, LogLevel.Warning,
        "A hub took {Milliseconds:F0} ms for a {Message} and nothing else was served meanwhile ({Count} such turns since the last such line)")]
    public static partial void LongTurn(ILogger logger, string message, double milliseconds, long count);

    [LoggerMessage(LogEvents.Connection + 7, LogLevel.Warning, "{Operation} failed: {Reason} ({Count} failures since the last such line)")]
    public static partial void OperationFailed(ILogger logger, string operation, string reason, long count);
}
