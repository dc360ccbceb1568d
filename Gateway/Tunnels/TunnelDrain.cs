using AspireChat.Gateway.Sockets;
using AspireChat.Gateway.Transport;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// Sends the clients of tunnels away when the gateway stops, each after a random part of the drain time, and cuts those that do not leave.
/// <see cref="SocketDrain"/> does the same for sockets that are requests.
/// </summary>
internal sealed class TunnelDrain : IDisposable
{
    private readonly IHostApplicationLifetime _lifetime;
    private readonly GatewayOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _stopping;

    public TunnelDrain(ClientLoops loops, IHostApplicationLifetime lifetime, IOptions<GatewayOptions> options, TimeProvider time)
    {
        _lifetime = lifetime;
        _options = options.Value;
        _time = time;
        _stopping = lifetime.ApplicationStopping.Register(() =>
        {
            foreach (var tunnel in loops.Members.OfType<Tunnel>())
            {
                _ = SendAwayAsync(tunnel);
            }
        });
    }

    /// <summary>
    /// Call it when a tunnel has opened: if the gateway is stopping already, it was not yet among those that are sent away.
    /// </summary>
    public void Opened(Tunnel tunnel)
    {
        if (_lifetime.ApplicationStopping.IsCancellationRequested)
        {
            _ = SendAwayAsync(tunnel);
        }
    }

    public void Dispose() => _stopping.Dispose();

    private async Task SendAwayAsync(Tunnel tunnel)
    {
        // Nothing can cancel this: the process ends when the last client has left.
        await Task.Delay(_options.DrainTime * Random.Shared.NextDouble(), _time, CancellationToken.None);
        tunnel.Leave(SocketDrain.Farewell(_options));
        await Task.Delay(_options.CloseTimeout, _time, CancellationToken.None);
        tunnel.Cut();
    }
}
