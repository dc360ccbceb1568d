namespace AspireChat.ServiceDefaults;

/// <summary>At most so many of each key (a user, an address) do something at a time; the others wait, first come first served. Thread-safe.</summary>
/// <param name="most">Who have their turn at a time under one key.</param>
/// <param name="mostWaiting">Who wait under one key. One more is refused at once.</param>
public sealed class TurnsByKey(int most, int mostWaiting, TimeProvider time)
{
    private readonly Lock _gate = new();

    private readonly Dictionary<string, Shared> _keys = new(StringComparer.Ordinal);

    /// <summary>Keys under which somebody has a turn or waits for one.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _keys.Count;
            }
        }
    }

    /// <summary>Waits for a turn. True: it must be ended by <see cref="Leave"/>. False: too many wait, or it took too long.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; there is no turn.</exception>
    public async ValueTask<bool> EnterAsync(string key, TimeSpan patience, CancellationToken cancellationToken)
    {
        FairTurns turns;
        lock (_gate)
        {
            if (!_keys.TryGetValue(key, out var shared))
            {
                _keys.Add(key, shared = new Shared(new FairTurns(most, mostWaiting, mostWaiting, time)));
            }

            shared.Users++;
            turns = shared.Turns;
        }

        var isMine = false;
        try
        {
            return isMine = await turns.EnterAsync(key, patience, cancellationToken);
        }
        finally
        {
            if (!isMine)
            {
                Release(key, endsTurn: false);
            }
        }
    }

    /// <summary>Ends a turn.</summary>
    public void Leave(string key) => Release(key, endsTurn: true);

    private void Release(string key, bool endsTurn)
    {
        lock (_gate)
        {
            var shared = _keys[key];
            if (endsTurn)
            {
                shared.Turns.Leave();
            }

            if (--shared.Users == 0)
            {
                _keys.Remove(key);
            }
        }
    }

    private sealed class Shared(FairTurns turns)
    {
        public FairTurns Turns { get; } = turns;

        /// <summary>Who have a turn or wait for one.</summary>
        public int Users { get; set; }
    }
}
