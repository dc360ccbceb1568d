using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Tunnels;

/// <summary>The process's loops: one for two cores, since the other half of a message's cost is elsewhere. Thread-safe.</summary>
internal sealed class TunnelLoops : IDisposable
{
    private readonly EventLoop<Tunnel>[] _loops;
    private uint _next;

    public TunnelLoops(IOptions<GatewayOptions> options, TimeProvider time, ILogger<TunnelLoops> logger)
    {
        var count = options.Value.Tunnels && OperatingSystem.IsLinux() ? Math.Max(1, Environment.ProcessorCount / 2) : 0;
        _loops = [.. Enumerable.Range(0, count).Select(_ => new EventLoop<Tunnel>("tunnels", time, logger.TunnelFailed))];
    }

    /// <summary>All tunnels that are open or about to be.</summary>
    public IEnumerable<Tunnel> Tunnels => _loops.SelectMany(loop => loop.Members);

    /// <summary>The loop for a new tunnel. Null: tunnels are switched off, or this is not Linux.</summary>
    public EventLoop<Tunnel>? Next() => _loops.Length == 0 ? null : _loops[Interlocked.Increment(ref _next) % _loops.Length];

    public void Dispose()
    {
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }
    }
}
