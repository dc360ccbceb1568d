namespace AspireChat.ServiceDefaults;

/// <summary>
/// At most so many do something at a time, and the others wait. Those who wait are taken one of each key (a user, an address) in turn, so that
/// whoever asks for much waits for what they asked for themselves, and whoever asks for little waits for one of each other at most.
/// Thread-safe.
/// </summary>
/// <param name="most">Who have their turn at a time.</param>
/// <param name="mostWaitingOfKey">Who wait under one key. One more is refused at once.</param>
/// <param name="mostWaiting">Who wait under all keys. One more is refused at once.</param>
public sealed class FairTurns(int most, int mostWaitingOfKey, int mostWaiting, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<Waiter>> _waiting = new(StringComparer.Ordinal);

    /// <summary>The keys of <see cref="_waiting"/>, each once; the first has its turn next.</summary>
    private readonly Queue<string> _order = new();

    private int _running;
    private int _waiters;

    /// <summary>Waits for a turn. True: it must be ended by <see cref="Leave"/>. False: too many wait, or it took too long.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; there is no turn.</exception>
    public ValueTask<bool> EnterAsync(string key, TimeSpan patience, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            // Nobody waits while a turn is free: what ends one hands it over.
            if (_running < most)
            {
                _running++;
                return new ValueTask<bool>(true);
            }

            if (_waiters >= mostWaiting || (_waiting.TryGetValue(key, out var own) && own.Count >= mostWaitingOfKey))
            {
                return new ValueTask<bool>(false);
            }

            if (own is null)
            {
                _waiting.Add(key, own = new Queue<Waiter>());
                _order.Enqueue(key);
            }

            var waiter = new Waiter();
            own.Enqueue(waiter);
            _waiters++;
            return new ValueTask<bool>(WaitAsync(waiter, patience, cancellationToken));
        }
    }

    /// <summary>Ends a turn.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            while (_order.TryDequeue(out var key))
            {
                var own = _waiting[key];
                var waiter = own.Dequeue();
                _waiters--;
                if (own.Count > 0)
                {
                    _order.Enqueue(key);
                }
                else
                {
                    _waiting.Remove(key);
                }

                // Whoever has given up keeps a place until here, which the bounds count.
                if (waiter.TrySetResult(true))
                {
                    return;
                }
            }
            _running--;
        }
    }

    private async Task<bool> WaitAsync(Waiter waiter, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(patience, time);
        await using var giveUp = late.Token.UnsafeRegister(static waiter => ((Waiter)waiter!).TrySetResult(false), waiter);
        await using var gone = cancellationToken.UnsafeRegister(
            static (waiter, token) => ((Waiter)waiter!).TrySetCanceled(token), waiter);
        return await waiter.Task;
    }

    private sealed class Waiter() : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
}
