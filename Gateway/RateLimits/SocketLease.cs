namespace AspireChat.Gateway.RateLimits;

/// <summary>
/// One of the sockets that an address may hold. It ends with the request, unless a tunnel takes the socket over and ends it itself.
/// Not thread-safe: the request has it first and the tunnel after that.
/// </summary>
internal sealed class SocketLease(HeldCounts counts, string address) : IDisposable
{
    private bool _isEnded;

    /// <summary>The request leaves it to whoever took the socket over.</summary>
    public bool IsTaken { get; private set; }

    public SocketLease Take()
    {
        IsTaken = true;
        return this;
    }

    public void Dispose()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            counts.Remove(address);
        }
    }
}
