using System.Collections.Concurrent;
using AspireChat.Gateway.Sockets;
using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// Sends the clients of tunnels away when the gateway stops, each after a random part of the drain time, and cuts those that do not leave.
/// The process waits for them. <see cref="SocketDrain"/> does the same for sockets that are requests.
/// </summary>
internal sealed class TunnelDrain : IHostedService, IDisposable
{
    private readonly EventLoops _loops;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly GatewayOptions _options;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<Task> _leaving = new();
    private readonly CancellationTokenRegistration _stopping;

    public TunnelDrain(EventLoops loops, IHostApplicationLifetime lifetime, IOptions<GatewayOptions> options, TimeProvider time)
    {
        _loops = loops;
        _lifetime = lifetime;
        _options = options.Value;
        _time = time;
        _stopping = lifetime.ApplicationStopping.Register(() =>
        {
            foreach (var tunnel in Tunnels)
            {
                _leaving.Enqueue(SendAwayAsync(tunnel));
            }
        });
    }

    private IEnumerable<Tunnel> Tunnels => _loops.Members.OfType<Tunnel>();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns when all have left. The rest is cut when the host's patience ends.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (_leaving.TryDequeue(out var leaving))
            {
                await leaving.WaitAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var tunnel in Tunnels)
            {
                tunnel.Cut();
            }
        }
    }

    /// <summary>
    /// Call it when a tunnel has opened: if the gateway is stopping already, it was not yet among those that are sent away.
    /// </summary>
    public void Opened(Tunnel tunnel)
    {
        if (_lifetime.ApplicationStopping.IsCancellationRequested)
        {
            _leaving.Enqueue(SendAwayAsync(tunnel));
        }
    }

    public void Dispose() => _stopping.Dispose();

    private async Task SendAwayAsync(Tunnel tunnel)
    {
        await PauseAsync(tunnel, _options.DrainTime * Random.Shared.NextDouble());
        tunnel.Leave(SocketDrain.Farewell(_options));
        await PauseAsync(tunnel, _options.CloseTimeout);
        tunnel.Cut();
    }

    /// <summary>Returns early when the tunnel has ended.</summary>
    private async Task PauseAsync(Tunnel tunnel, TimeSpan pause)
    {
        // Nothing cancels this: the process ends when the last client has left.
        await Task.WhenAny(tunnel.Ended, Task.Delay(pause, _time, CancellationToken.None));
    }
}
