namespace AspireChat.RedisLog;

/// <summary>
/// What a process does again and again falls on common moments: the multiples of its interval on the machine's clock. So one wake-up of a thread,
/// and one write to Redis, serve all of it (docs/decisions/0017). For loops that need not be exact. Thread-safe.
/// </summary>
public static class SharedBeat
{
    /// <summary>Waits for a common moment.</summary>
    public static Task WaitAsync(TimeSpan interval, TimeProvider time, CancellationToken cancellationToken) =>
        Task.Delay(Next(interval, time), time, cancellationToken);

    /// <returns>
    /// How long until a common moment: between a half and one and a half intervals, and one interval from such a moment. Zero for an interval of zero.
    /// </returns>
    public static TimeSpan Next(TimeSpan interval, TimeProvider time)
    {
        var period = (long)(interval.TotalSeconds * time.TimestampFrequency);
        if (period == 0)
        {
            return TimeSpan.Zero;
        }

        var left = period - (time.GetTimestamp() % period);
        // Timers count whole milliseconds. One that rings a little early must not ring again a millisecond later.
        var next = left < period / 2 ? left + period : left;
        return TimeSpan.FromMilliseconds(Math.Ceiling(next * 1_000.0 / time.TimestampFrequency));
    }
}
