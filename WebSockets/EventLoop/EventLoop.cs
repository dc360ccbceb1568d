using System.Collections.Concurrent;

namespace AspireChat.WebSockets;

/// <summary>Something that owns sockets in an <see cref="EventLoop{TMember}"/>. The loop's thread calls it, one call at a time.</summary>
public interface IEventLoopMember
{
    /// <summary>Unique in the loop: the tag under which the member has its sockets watched.</summary>
    long Id { get; }

    /// <summary>A socket of this member is ready.</summary>
    /// <param name="buffer">64 KiB to receive into. The loop uses it for other members afterwards.</param>
    void OnReady(byte[] buffer);

    /// <summary>Called once per sweep of the loop, for what has a deadline.</summary>
    void OnSweep();

    /// <summary>A call has thrown: the member ends.</summary>
    void Fail(Exception fault);
}

/// <summary>
/// One thread that serves the sockets of many members: per chunk one receive, one send, and a share of one epoll call. The framework's way
/// (a pool thread woken per chunk, four calls, a stack of streams) costs about twice as much. Linux only. Thread-safe.
/// </summary>
public sealed class EventLoop<TMember> : IDisposable where TMember : class, IEventLoopMember
{
    private const int BufferBytes = 64 * 1024;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<long, TMember> _members = new();
    private readonly Thread _thread;
    private readonly Action<Exception> _report;
    private readonly TimeSpan _sweep;
    private long _now;
    private volatile bool _stopped;

    /// <param name="name">Of the thread.</param>
    /// <param name="report">Called with each fault of a member.</param>
    /// <param name="sweep">How often all members are called for their deadlines: four times a second if null, and never more often.</param>
    public EventLoop(string name, TimeProvider time, Action<Exception> report, TimeSpan? sweep = null)
    {
        Time = time;
        _report = report;
        _sweep = sweep ?? LongestWait;
        _now = time.GetTimestamp();
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public Epoll Epoll { get; } = new();

    public TimeProvider Time { get; }

    /// <summary>When this turn of the loop began (<see cref="TimeProvider.GetTimestamp"/>). At rest it is up to 250 ms old.</summary>
    public long Now => Volatile.Read(ref _now);

    public ICollection<TMember> Members => _members.Values;

    public void Add(TMember member) => _members[member.Id] = member;

    public void Remove(TMember member) => _members.TryRemove(member.Id, out _);

    /// <summary>Returns when the thread has ended.</summary>
    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
        Epoll.Dispose();
    }

    private void Run()
    {
        var buffer = new byte[BufferBytes];
        var swept = _now;
        while (!_stopped)
        {
            var ready = Epoll.Wait((int)LongestWait.TotalMilliseconds);
            Volatile.Write(ref _now, Time.GetTimestamp());
            for (var i = 0; i < ready; i++)
            {
                if (_members.TryGetValue(Epoll.Ready(i).Tag, out var member))
                {
                    OnReady(member, buffer);
                }
            }
            if (Time.GetElapsedTime(swept, _now) < _sweep)
            {
                continue;
            }
            swept = _now;
            foreach (var (_, member) in _members)
            {
                member.OnSweep();
            }
        }
    }

    private void OnReady(TMember member, byte[] buffer)
    {
        try
        {
            member.OnReady(buffer);
        }
        catch (ObjectDisposedException e)
        {
            // The socket's owner closed it at this moment.
            member.Fail(e);
        }
        catch (Exception e)
        {
            // A fault of one member must not end the others.
            _report(e);
            member.Fail(e);
        }
    }
}
