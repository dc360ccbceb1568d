using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Log;

/// <summary>Tells of appends that did not work, for all partitions together: an outage is one of all of them. Thread-safe.</summary>
internal sealed class AppendFaults(TimeProvider time, ILogger logger)
{
    private readonly RecurringFault _unavailable = new(time);
    private readonly RecurringFault _failed = new(time);

    /// <summary>A batch was given up.</summary>
    public void Unavailable(int partition, int events, string reason)
    {
        if (_unavailable.IsDue(out var count))
            ConversationLogMessages.AppendUnavailable(logger, partition, events, reason, count);
    }

    /// <summary>An attempt failed in a way that is not simply Redis' absence.</summary>
    public void Failed(Exception e, int partition, int events)
    {
        if (_failed.IsDue(out var count))
            ConversationLogMessages.AppendFailed(logger, e, partition, events, count);
    }
}
