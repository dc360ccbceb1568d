using System.Collections.Concurrent;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// One thread that moves what replicas send to clients, for all tunnels given to it: per chunk one receive, one send, and a share of one
/// epoll call. The general way (a pool thread woken per chunk, four calls, a stack of streams) costs about twice as much.
/// </summary>
internal sealed class TunnelLoop : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(250);

    private readonly Epoll _epoll = new();
    private readonly ConcurrentDictionary<long, Tunnel> _tunnels = new();
    private readonly Thread _thread;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile bool _stopped;

    public TunnelLoop(TimeProvider time, ILogger<TunnelLoop> logger)
    {
        _time = time;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "tunnels" };
        _thread.Start();
    }

    public Epoll Epoll => _epoll;

    public TimeProvider Time => _time;

    public ICollection<Tunnel> Tunnels => _tunnels.Values;

    public void Add(Tunnel tunnel) => _tunnels[tunnel.Id] = tunnel;

    public void Remove(Tunnel tunnel) => _tunnels.TryRemove(tunnel.Id, out _);

    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
        _epoll.Dispose();
    }

    private void Run()
    {
        var buffer = new byte[BufferBytes];
        var swept = _time.GetTimestamp();
        while (!_stopped)
        {
            var ready = _epoll.Wait((int)LongestWait.TotalMilliseconds);
            for (var i = 0; i < ready; i++)
            {
                var (tag, _) = _epoll.Ready(i);
                if (!_tunnels.TryGetValue(tag, out var tunnel)) continue;
                try
                {
                    tunnel.OnReady(buffer);
                }
                catch (ObjectDisposedException e)
                {
                    // The client's socket was closed while it was looked at.
                    tunnel.Fail(e);
                }
                catch (Exception e)
                {
                    // A fault of one tunnel must not end the others.
                    _logger.TunnelFailed(e);
                    tunnel.Fail(e);
                }
            }
            if (_time.GetElapsedTime(swept) < LongestWait) continue;
            swept = _time.GetTimestamp();
            foreach (var (_, tunnel) in _tunnels) tunnel.EndIfSilent();
        }
    }
}
