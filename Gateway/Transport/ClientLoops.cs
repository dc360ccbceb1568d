using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Transport;

/// <summary>
/// The process's loops: one for two cores, since the other half of a message's cost is elsewhere. A client's connection belongs to one of
/// them from its first byte to its last, and so does its tunnel. Thread-safe.
/// </summary>
internal sealed class ClientLoops : IDisposable
{
    /// <summary>A silent socket is found so much later than its time, at most.</summary>
    private const int SweepsPerIdleTimeout = 20;

    private static readonly TimeSpan ShortestSweep = TimeSpan.FromMilliseconds(250);

    private static long _lastId;

    private readonly EventLoop<IEventLoopMember>[] _loops;
    private uint _next;

    public ClientLoops(IOptions<GatewayOptions> options, TimeProvider time, ILogger<ClientLoops> logger)
    {
        var count = options.Value.Tunnels && OperatingSystem.IsLinux() ? Math.Max(1, Environment.ProcessorCount / 2) : 0;
        var sweep = options.Value.SocketIdleTimeout / SweepsPerIdleTimeout;
        _loops = [.. Enumerable.Range(0, count).Select(_ => new EventLoop<IEventLoopMember>(
            "clients", time, logger.TunnelFailed, sweep > ShortestSweep ? sweep : ShortestSweep))];
    }

    /// <summary>All that the loops serve.</summary>
    public IEnumerable<IEventLoopMember> Members => _loops.SelectMany(loop => loop.Members);

    /// <summary>For a new member: unique in all loops.</summary>
    public static long NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>The loop for a new connection. Null: tunnels are switched off, or this is not Linux.</summary>
    public EventLoop<IEventLoopMember>? Next() => _loops.Length == 0 ? null : _loops[Interlocked.Increment(ref _next) % _loops.Length];

    public void Dispose()
    {
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }
    }
}
