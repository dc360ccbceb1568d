namespace AspireChat.WebSockets;

/// <summary>
/// The process's event loops: one for two cores, since the other half of a message's cost is elsewhere. A connection belongs to one of them from
/// its first byte to its last. None where there is no epoll. Thread-safe.
/// </summary>
public sealed class EventLoops : IDisposable
{
    private static long _lastId;

    private readonly EventLoop<IEventLoopMember>[] _loops;
    private uint _next;

    /// <param name="name">Of the threads.</param>
    /// <param name="options">What all loops have in common.</param>
    /// <param name="report">Called with each fault of a member.</param>
    public EventLoops(string name, EventLoopOptions options, TimeProvider time, Action<Exception> report)
    {
        var count = options.IsEnabled && OperatingSystem.IsLinux() ? Math.Max(1, Environment.ProcessorCount / 2) : 0;
        _loops = [.. Enumerable.Range(0, count).Select(_ => new EventLoop<IEventLoopMember>(name, time, report, options.Sweep, options.Turn))];
    }

    /// <summary>All that the loops serve.</summary>
    public IEnumerable<IEventLoopMember> Members => _loops.SelectMany(loop => loop.Members);

    /// <summary>For a new member: unique in all loops of the process.</summary>
    public static long NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>The loop for a new connection. Null: there are none.</summary>
    public EventLoop<IEventLoopMember>? Next() => _loops.Length == 0 ? null : _loops[Interlocked.Increment(ref _next) % _loops.Length];

    public void Dispose()
    {
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }
    }
}

/// <summary>What the loops of a process have in common.</summary>
/// <param name="IsEnabled">False: there are no loops, and the framework's transport serves.</param>
/// <param name="Sweep">How often members are called for their deadlines.</param>
/// <param name="Turn">Told when a loop's turn begins and ends; null if nobody has to know.</param>
public sealed record EventLoopOptions(bool IsEnabled, TimeSpan Sweep, ILoopTurn? Turn = null);
