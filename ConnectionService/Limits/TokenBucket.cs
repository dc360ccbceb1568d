namespace AspireChat.ConnectionService.Limits;

/// <summary>
/// A token bucket: a number of things per second, and a burst after a pause. A thing may have any price, and one whose price is known only
/// afterwards is charged then, which may leave a debt. Thread-safe.
/// </summary>
internal sealed class TokenBucket(double perSecond, double burst, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly double _burst = burst;
    private double _tokens = burst;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Nothing was taken for long enough: forgetting the bucket forgives nothing.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                Fill();
                return _tokens >= _burst;
            }
        }
    }

    /// <summary>How long until what was charged is paid; zero when nothing is owed.</summary>
    public TimeSpan Debt
    {
        get
        {
            lock (_gate)
            {
                Fill();
                return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / perSecond);
            }
        }
    }

    /// <param name="retryAfter">When false is returned: after this time there will be a token.</param>
    public bool TryTake(out TimeSpan retryAfter)
    {
        lock (_gate)
        {
            Fill();
            if (_tokens >= 1)
            {
                _tokens--;
                retryAfter = TimeSpan.Zero;
                return true;
            }
            retryAfter = TimeSpan.FromSeconds((1 - _tokens) / perSecond);
            return false;
        }
    }

    /// <summary>Takes a price that was paid already, whether the bucket has it or not.</summary>
    public void Charge(double price)
    {
        if (price <= 0)
        {
            return;
        }
        lock (_gate)
        {
            Fill();
            _tokens -= price;
        }
    }

    /// <summary>What the token was taken for did not happen.</summary>
    public void GiveBack()
    {
        lock (_gate)
        {
            _tokens = Math.Min(_burst, _tokens + 1);
        }
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond);
        _filledAt = now;
    }
}
