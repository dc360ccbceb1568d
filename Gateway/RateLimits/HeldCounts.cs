namespace AspireChat.Gateway.RateLimits;

/// <summary>How many things each client (a user, an address) holds at this moment. Clients that hold none are forgotten. Thread-safe.</summary>
/// <param name="most">That a client may hold.</param>
internal sealed class HeldCounts(int most)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _counts = [];

    /// <summary>False: the client holds as many as it may.</summary>
    public bool TryAdd(string client)
    {
        lock (_gate)
        {
            var count = _counts.GetValueOrDefault(client);
            if (count >= most)
            {
                return false;
            }

            _counts[client] = count + 1;
            return true;
        }
    }

    /// <summary>For each <see cref="TryAdd"/> that was true, once.</summary>
    public void Remove(string client)
    {
        lock (_gate)
        {
            if (--_counts[client] == 0)
            {
                _counts.Remove(client);
            }
        }
    }
}
