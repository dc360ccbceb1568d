namespace AspireChat.Gateway.RateLimits;

/// <summary>How many things each address holds at this moment. Addresses that hold none are forgotten. Thread-safe.</summary>
/// <param name="most">That an address may hold.</param>
internal sealed class AddressCounts(int most)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _counts = [];

    /// <summary>False: the address holds as many as it may.</summary>
    public bool TryAdd(string address)
    {
        lock (_gate)
        {
            var count = _counts.GetValueOrDefault(address);
            if (count >= most)
            {
                return false;
            }

            _counts[address] = count + 1;
            return true;
        }
    }

    /// <summary>For each <see cref="TryAdd"/> that was true, once.</summary>
    public void Remove(string address)
    {
        lock (_gate)
        {
            if (--_counts[address] == 0)
            {
                _counts.Remove(address);
            }
        }
    }
}
