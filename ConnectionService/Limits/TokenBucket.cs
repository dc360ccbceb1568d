namespace AspireChat.ConnectionService.Limits;

/// <summary>Allows so many things per second, and a burst after a pause. Thread-safe.</summary>
internal sealed class TokenBucket(double perSecond, int burst, TimeProvider time)
{
    private readonly Lock _gate = new();
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
                return _tokens >= burst;
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

    /// <summary>What the token was taken for did not happen.</summary>
    public void GiveBack()
    {
        lock (_gate)
        {
            _tokens = Math.Min(burst, _tokens + 1);
        }
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond);
        _filledAt = now;
    }
}
