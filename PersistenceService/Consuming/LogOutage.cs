using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>Tells that Redis is away, once for all partitions: it is away for all of them. Thread-safe.</summary>
internal sealed class LogOutage(TimeProvider time, ILogger<LogOutage> logger)
{
    private readonly RecurringFault _fault = new(time);

    /// <summary>A partition could not reach its log.</summary>
    public void Seen(Exception e, int partition)
    {
        if (_fault.IsDue(out var count))
            ConsumingMessages.RedisFailed(logger, e, partition, count);
    }
}
