namespace AspireChat.ServiceDefaults;

/// <summary>
/// A fault that comes back many times a second, and from many places, for as long as something is away: told at once, then once a minute
/// with how often it came. Sixteen partitions that each tell of it each second bury everything else in the log. Thread-safe.
/// </summary>
public sealed class RecurringFault(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _toldAt;
    private long _count;

    /// <summary>It came again. True: write a line.</summary>
    /// <param name="count">How often it came since the last line, this time included.</param>
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
