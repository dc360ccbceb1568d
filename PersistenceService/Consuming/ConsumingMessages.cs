using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>Events 4020–4029.</summary>
internal static partial class ConsumingMessages
{
    [LoggerMessage(LogEvents.Persistence + 20, LogLevel.Debug, "Partition {Partition} has no log to read yet")]
    public static partial void NoGroup(ILogger logger, int partition);

    [LoggerMessage(LogEvents.Persistence + 21, LogLevel.Warning,
        "The log cannot be reached, last by partition {Partition}; trying again ({Count} failures since the last such line)")]
    public static partial void RedisFailed(ILogger logger, Exception exception, int partition, long count);

    [LoggerMessage(LogEvents.Persistence + 22, LogLevel.Information, "Took over {Count} unfinished entries of partition {Partition}")]
    public static partial void Claimed(ILogger logger, int partition, int count);
}
