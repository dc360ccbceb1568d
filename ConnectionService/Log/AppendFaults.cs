using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Log;

/// <summary>Reports failed appends once for all partitions, because an outage concerns all of them. Thread-safe.</summary>
internal sealed partial class AppendFaults(TimeProvider time, ILogger logger)
{
    private readonly RecurringFault _unavailable = new(time);
    private readonly RecurringFault _failed = new(time);

    /// <summary>A batch was given up.</summary>
    public void Unavailable(int partition, int events, string reason)
    {
        if (_unavailable.IsDue(out var count))
        {
            AppendUnavailable(logger, partition, events, reason, count);
        }
    }

    /// <summary>An attempt failed in a way that is not simply Redis' absence.</summary>
    public void Failed(Exception e, int partition, int events)
    {
        if (_failed.IsDue(out var count))
        {
            AppendFailed(logger, e, partition, events, count);
        }
    }

    [LoggerMessage(LogEvents.Connection + 400, LogLevel.Warning,
        "Events are answered unavailable, last {Events} of partition {Partition} ({Reason}; {Count} calls since the last such line)")]
    private static partial void AppendUnavailable(ILogger logger, int partition, int events, string reason, long count);

    [LoggerMessage(LogEvents.Connection + 401, LogLevel.Error,
        "Appending failed, last {Events} events of partition {Partition} ({Count} attempts since the last such line)")]
    private static partial void AppendFailed(ILogger logger, Exception error, int partition, int events, long count);
}
