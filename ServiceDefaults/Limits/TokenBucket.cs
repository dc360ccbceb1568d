namespace AspireChat.ServiceDefaults;

/// <summary>
/// A token bucket: a number of things per second, and a burst after a pause. A thing may have any price, and one whose price is known only
/// afterwards is charged then, which may leave a debt. Kept as the one moment at which the bucket was, or will be, empty (the virtual scheduling
/// form of GCRA, ITU-T I.371), so that a bucket costs eight bytes of state and no lock. Thread-safe.
/// </summary>
public sealed class TokenBucket
{
    private readonly TimeProvider _time;

    /// <summary>Units of the clock's timestamp that a token takes to come back.</summary>
    private readonly double _tokenTime;

    /// <summary>Units of the clock's timestamp in which an empty bucket fills.</summary>
    private readonly long _fillTime;

    private long _emptyAt;

    public TokenBucket(double perSecond, double burst, TimeProvider time)
    {
        _time = time;
        _tokenTime = time.TimestampFrequency / perSecond;
        _fillTime = (long)Math.Min(burst * _tokenTime, long.MaxValue / 4.0);
        _emptyAt = time.GetTimestamp() - _fillTime;
    }

    /// <summary>Nothing was taken for long enough: forgetting the bucket forgives nothing.</summary>
    public bool IsFull => Volatile.Read(ref _emptyAt) <= _time.GetTimestamp() - _fillTime;

    /// <summary>How long until what was charged is paid; zero when nothing is owed.</summary>
    public TimeSpan Debt => TimeFrom(_time.GetTimestamp(), Volatile.Read(ref _emptyAt));

    /// <summary>Less than one token is left: who takes one now waits, or waited just before.</summary>
    public bool IsSpent => Volatile.Read(ref _emptyAt) + (long)_tokenTime > _time.GetTimestamp();

    /// <param name="retryAfter">When false is returned: after this time there will be a token.</param>
    public bool TryTake(out TimeSpan retryAfter)
    {
        var price = (long)_tokenTime;
        while (true)
        {
            var now = _time.GetTimestamp();
            var seen = Volatile.Read(ref _emptyAt);
            var next = Math.Max(seen, now - _fillTime) + price;
            if (next > now)
            {
                retryAfter = TimeFrom(now, next);
                return false;
            }
            if (Interlocked.CompareExchange(ref _emptyAt, next, seen) == seen)
            {
                retryAfter = TimeSpan.Zero;
                return true;
            }
        }
    }

    /// <summary>Takes a price whether the bucket has it or not. Returns how long until what is owed now is paid.</summary>
    public TimeSpan Charge(double price)
    {
        while (true)
        {
            var now = _time.GetTimestamp();
            var seen = Volatile.Read(ref _emptyAt);
            var next = Math.Max(seen, now - _fillTime) + (long)(price * _tokenTime);
            if (Interlocked.CompareExchange(ref _emptyAt, next, seen) == seen)
            {
                return TimeFrom(now, next);
            }
        }
    }

    /// <summary>Takes a price, and waits until nothing is owed.</summary>
    public ValueTask PayAsync(double price, CancellationToken cancellationToken) =>
        Charge(price) is var debt && debt > TimeSpan.Zero ? new ValueTask(Task.Delay(debt, _time, cancellationToken)) : default;

    /// <summary>What the token was taken for did not happen.</summary>
    public void GiveBack() => Interlocked.Add(ref _emptyAt, -(long)_tokenTime);

    private TimeSpan TimeFrom(long now, long then) => then <= now ? TimeSpan.Zero : _time.GetElapsedTime(now, then);
}
