using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Tunnels;

/// <summary>The process's loops: one for two cores, since a message costs as much elsewhere. Thread-safe.</summary>
internal sealed class TunnelLoops : IDisposable
{
    private readonly TunnelLoop[] _loops;
    private uint _next;

    public TunnelLoops(IOptions<GatewayOptions> options, TimeProvider time, ILogger<TunnelLoop> logger)
    {
        var count = options.Value.Tunnels && OperatingSystem.IsLinux() ? Math.Max(1, Environment.ProcessorCount / 2) : 0;
        _loops = [.. Enumerable.Range(0, count).Select(_ => new TunnelLoop(time, logger))];
    }

    /// <summary>All that are open or about to be.</summary>
    public IEnumerable<Tunnel> Tunnels => _loops.SelectMany(loop => loop.Tunnels);

    /// <summary>The loop for a new tunnel; null where there is none (not Linux, or switched off).</summary>
    public TunnelLoop? Next() => _loops.Length == 0 ? null : _loops[Interlocked.Increment(ref _next) % _loops.Length];

    public void Dispose()
    {
        foreach (var loop in _loops) loop.Dispose();
    }
}
