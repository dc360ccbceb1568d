namespace AspireChat.ServiceDefaults;

/// <summary>
/// A fault that happens many times a second, in many places, for as long as something is away. It is logged at once, and then once a minute
/// with the number of times. Otherwise sixteen partitions would log it each second and bury everything else. Thread-safe.
/// </summary>
public sealed class RecurringFault(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _toldAt;
    private long _count;

    /// <summary>The fault has happened again. True: log it.</summary>
    /// <param name="count">How often it happened since the last line, this time included.</param>
    public bool IsDue(out long count)
    {
        lock (_gate)
        {
            count = ++_count;
            var now = time.GetTimestamp();
            if (_toldAt is { } toldAt && time.GetElapsedTime(toldAt, now) < Interval)
            {
                return false;
            }

            _toldAt = now;
            _count = 0;
            return true;
        }
    }
}
