namespace AspireChat.ConnectionService.Log;

/// <summary>Log messages of the conversation log: event ids 2400–2449.</summary>
internal static partial class ConversationLogMessages
{
    [LoggerMessage(2400, LogLevel.Warning, "Partition {Partition}: {Events} events answered unavailable ({Reason})")]
    public static partial void AppendUnavailable(ILogger logger, int partition, int events, string reason);

    [LoggerMessage(2401, LogLevel.Error, "Partition {Partition}: appending {Events} events failed")]
    public static partial void AppendFailed(ILogger logger, Exception error, int partition, int events);

    [LoggerMessage(2402, LogLevel.Error, "Tail of {Conversation} holds an unreadable record at seq {Seq}")]
    public static partial void UnreadableRecord(ILogger logger, string conversation, long seq);
}
