using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Writing;

/// <summary>Events 4010–4019.</summary>
internal static partial class WritingMessages
{
    [LoggerMessage(LogEvents.Persistence + 10, LogLevel.Warning,
        "PostgreSQL could not take {Count} entries of partition {Partition}; trying again ({Failures} failures since the last such line)")]
    public static partial void Retrying(ILogger logger, Exception exception, int partition, int count, long failures);

    [LoggerMessage(LogEvents.Persistence + 11, LogLevel.Warning,
        "PostgreSQL refused {Count} entries of partition {Partition} for their data; halving")]
    public static partial void Bisecting(ILogger logger, Exception exception, int partition, int count);

    [LoggerMessage(LogEvents.Persistence + 12, LogLevel.Error,
        "Entry {Id} of partition {Partition} ({Conversation}, seq {Seq}) cannot be stored and goes to the dead letters: {Reason}")]
    public static partial void Rejected(ILogger logger, int partition, string id, string conversation, long seq, string reason);
}
