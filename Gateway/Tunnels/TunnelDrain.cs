using AspireChat.Gateway.Sockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// What <see cref="SocketDrain"/> is for sockets that are requests: a stopping gateway sends the clients of its tunnels away, each after a
/// random part of the drain time, and cuts those that do not leave.
/// </summary>
internal sealed class TunnelDrain : IDisposable
{
    private readonly IHostApplicationLifetime _lifetime;
    private readonly GatewayOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _stopping;

    public TunnelDrain(TunnelLoops loops, IHostApplicationLifetime lifetime, IOptions<GatewayOptions> options, TimeProvider time)
    {
        _lifetime = lifetime;
        _options = options.Value;
        _time = time;
        _stopping = lifetime.ApplicationStopping.Register(() =>
        {
            foreach (var tunnel in loops.Tunnels)
            {
                _ = SendAwayAsync(tunnel);
            }
        });
    }

    /// <summary>For a tunnel that is open now: it may have come too late to be found among the others.</summary>
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
        // The process ends when the last of them has: nothing to cancel this by.
        await Task.Delay(_options.DrainTime * Random.Shared.NextDouble(), _time, CancellationToken.None);
        tunnel.Leave(SocketDrain.Farewell(_options));
        await Task.Delay(_options.CloseTimeout, _time, CancellationToken.None);
        tunnel.Cut();
    }
}
