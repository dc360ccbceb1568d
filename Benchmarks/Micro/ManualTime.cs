namespace AspireChat.Benchmarks.Micro;

/// <summary>
/// The system's clock, with timers that fire when the benchmark says so, because a wait of some milliseconds is not the cost of a frame.
/// </summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Timer> _timers = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(callback, state);
        timer.Change(dueTime, period);
        _timers.Add(timer);
        return timer;
    }

    /// <summary>Fires all timers that are set.</summary>
    public void FireAll()
    {
        foreach (var timer in _timers)
        {
            timer.Fire();
        }
    }

    private sealed class Timer(TimerCallback callback, object? state) : ITimer
    {
        private int _armed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Volatile.Write(ref _armed, dueTime == Timeout.InfiniteTimeSpan ? 0 : 1);
            return true;
        }

        public void Fire()
        {
            if (Interlocked.Exchange(ref _armed, 0) == 1)
            {
                callback(state);
            }
        }

        public void Dispose() => Volatile.Write(ref _armed, 0);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
