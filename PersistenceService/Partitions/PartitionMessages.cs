using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>Events 4030–4049.</summary>
internal static partial class PartitionMessages
{
    [LoggerMessage(LogEvents.Persistence + 30, LogLevel.Debug, "Partition {Partition} taken")]
    public static partial void Taken(ILogger logger, int partition);

    [LoggerMessage(LogEvents.Persistence + 31, LogLevel.Debug, "Partition {Partition} given back")]
    public static partial void Given(ILogger logger, int partition);

    [LoggerMessage(LogEvents.Persistence + 32, LogLevel.Warning, "Another replica holds the lease of partition {Partition} now")]
    public static partial void LeaseLost(ILogger logger, int partition);

    [LoggerMessage(LogEvents.Persistence + 33, LogLevel.Warning,
        "The leases cannot be reached; trying again ({Count} failures since the last such line)")]
    public static partial void LeasesUnreachable(ILogger logger, Exception exception, long count);

    [LoggerMessage(LogEvents.Persistence + 34, LogLevel.Error, "The worker of partition {Partition} failed")]
    public static partial void WorkerFailed(ILogger logger, Exception exception, int partition);

    [LoggerMessage(LogEvents.Persistence + 35, LogLevel.Warning,
        "The partitions cannot be inspected; trying again ({Count} failures since the last such line)")]
    public static partial void InspectionFailed(ILogger logger, Exception exception, long count);

    [LoggerMessage(LogEvents.Persistence + 36, LogLevel.Error, "Partition {Partition} is closed, its epoch {Epoch} ends: {Fault}")]
    public static partial void Fenced(ILogger logger, int partition, string epoch, string fault);

    [LoggerMessage(LogEvents.Persistence + 37, LogLevel.Information,
        "{Count} partitions opened with {Conversations} conversations, {Members} memberships and {Nonces} nonces in {ElapsedMs} ms")]
    public static partial void Opened(ILogger logger, int count, long conversations, long members, long nonces, long elapsedMs);
}
