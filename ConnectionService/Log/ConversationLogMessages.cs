namespace AspireChat.ConnectionService.Log;

/// <summary>Log messages of the conversation log: event ids 2400–2449.</summary>
internal static partial class ConversationLogMessages
{
    [LoggerMessage(2400, LogLevel.Warning,
        "Events are answered unavailable, last {Events} of partition {Partition} ({Reason}; {Count} calls since the last such line)")]
    public static partial void AppendUnavailable(ILogger logger, int partition, int events, string reason, long count);

    [LoggerMessage(2401, LogLevel.Error,
        "Appending failed, last {Events} events of partition {Partition} ({Count} attempts since the last such line)")]
    public static partial void AppendFailed(ILogger logger, Exception error, int partition, int events, long count);

    [LoggerMessage(2402, LogLevel.Error, "Tail of {Conversation} holds an unreadable record at seq {Seq}")]
    public static partial void UnreadableRecord(ILogger logger, string conversation, long seq);
}
