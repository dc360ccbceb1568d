using System.Diagnostics.Metrics;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// Counts the sockets in tunnels: the server counts a connection (<c>kestrel.active_connections</c>) until its tunnel takes it. Thread-safe.
/// </summary>
internal sealed class TunnelMetrics
{
    private readonly UpDownCounter<long> _sockets;

    public TunnelMetrics(IMeterFactory meters) =>
        _sockets = meters.Create("AspireChat.Gateway").CreateUpDownCounter<long>(
            "aspirechat.gateway.tunnels", "{socket}", "Sockets that pass through tunnels now");

    public void Opened() => _sockets.Add(1);

    public void Closed() => _sockets.Add(-1);
}
