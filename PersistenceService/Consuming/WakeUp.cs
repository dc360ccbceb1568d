namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// A doorbell with one listener: rings that come while it works count as one. Ringing is thread-safe.
/// </summary>
internal sealed class WakeUp(TimeProvider time)
{
    private readonly SemaphoreSlim _rung = new(0, 1);

    public void Ring()
    {
        try
        {
            if (_rung.CurrentCount == 0)
                _rung.Release();
        }
        catch (SemaphoreFullException)
        {
            // Two rang at once; the listener comes.
        }
    }

    /// <summary>Returns at the next ring (at once if it rang since the last wait) or after the time.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await _rung.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nobody rang.
        }
    }
}
