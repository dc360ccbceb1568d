using AspireChat.Gateway.RateLimits;
using AspireChat.Gateway.Routing;
using AspireChat.WebSockets;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// What an open tunnel takes: one of its replica's sockets, one of its address's, and one of the process's. Disposing gives them back, once.
/// Not thread-safe: the tunnel's lock guards it.
/// </summary>
internal sealed class TunnelPlace : IDisposable
{
    private readonly SocketCount _replica;
    private readonly SocketLease? _address;
    private readonly HandoverCount _handovers;
    private readonly TunnelMetrics _metrics;

    public TunnelPlace(SocketCount replica, SocketLease? address, HandoverCount handovers, TunnelMetrics metrics)
    {
        (_replica, _address, _handovers, _metrics) = (replica, address, handovers, metrics);
        _replica.Add();
        _metrics.Opened();
    }

    public void Dispose()
    {
        _replica.Remove();
        _address?.Dispose();
        _handovers.Changed();
        _metrics.Closed();
    }
}
