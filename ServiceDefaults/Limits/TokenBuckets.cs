using System.Collections.Concurrent;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// A <see cref="TokenBucket"/> for each client (a user, an address). A bucket that is full again is forgotten by a later call, whoever makes it:
/// nothing runs on a timer, so clients that are silent cost no time. Thread-safe.
/// </summary>
public sealed class TokenBuckets
{
    private readonly ConcurrentDictionary<string, TokenBucket> _buckets = new(StringComparer.Ordinal);
    private readonly double _perSecond;
    private readonly double _burst;
    private readonly TimeProvider _time;

    /// <summary>An empty bucket is full after this time, so looking more often would find little.</summary>
    private readonly TimeSpan _fillTime;

    private long _sweptAt;

    public TokenBuckets(double perSecond, double burst, TimeProvider time)
    {
        (_perSecond, _burst, _time) = (perSecond, burst, time);
        _fillTime = TimeSpan.FromSeconds(burst / perSecond);
        _sweptAt = time.GetTimestamp();
    }

    /// <summary>Clients whose buckets are remembered.</summary>
    public int Count => _buckets.Count;

    /// <param name="retryAfter">When false is returned: after this time there will be a token.</param>
    public bool TryTake(string client, out TimeSpan retryAfter)
    {
        ForgetFull();
        return _buckets.GetOrAdd(client, static (_, all) => new TokenBucket(all._perSecond, all._burst, all._time), this).TryTake(out retryAfter);
    }

    private void ForgetFull()
    {
        var sweptAt = Volatile.Read(ref _sweptAt);
        if (_time.GetElapsedTime(sweptAt) < _fillTime || Interlocked.CompareExchange(ref _sweptAt, _time.GetTimestamp(), sweptAt) != sweptAt)
        {
            return;
        }

        foreach (var bucket in _buckets)
        {
            // A token that another thread takes from it at this moment is forgiven.
            if (bucket.Value.IsFull)
            {
                _buckets.TryRemove(bucket);
            }
        }
    }
}
