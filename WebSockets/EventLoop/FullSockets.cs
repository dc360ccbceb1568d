using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace AspireChat.WebSockets;

/// <summary>
/// Waits for sockets whose send buffer is full, on one thread for all of them. Only such a socket costs anything here: a writer whose bytes fit
/// never comes, and the thread begins with the first one that does. Linux only. Thread-safe.
/// </summary>
/// <param name="report">Called with faults, which are bugs.</param>
public sealed class FullSockets(TimeProvider time, Action<Exception> report) : IDisposable
{
    private readonly Lazy<EventLoop<Wait>> _loop = new(() => new EventLoop<Wait>("full sockets", time, report));
    private long _lastId;

    /// <summary>Completes, on the loop's thread, when the socket takes bytes again, or was closed, or is broken: the next send tells which.</summary>
    /// <param name="socket">One call at a time for a socket.</param>
    public ValueTask WaitAsync(SafeHandle socket)
    {
        var wait = new Wait(Interlocked.Increment(ref _lastId), socket, _loop.Value);
        wait.Begin();
        return wait.Task;
    }

    public void Dispose()
    {
        if (_loop.IsValueCreated)
        {
            _loop.Value.Dispose();
        }
    }

    private sealed class Wait(long id, SafeHandle socket, EventLoop<Wait> loop) : IEventLoopMember, IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _source;
        private int _isOver;

        public long Id => id;

        public ValueTask Task => new(this, _source.Version);

        public void Begin()
        {
            loop.Add(this);
            try
            {
                loop.Epoll.Watch(socket, Readiness.Writable, id);
            }
            catch (Exception e) when (e is ObjectDisposedException or Win32Exception)
            {
                // Closed meanwhile.
                Complete();
            }
        }

        public void OnReady(byte[] buffer) => Complete();

        /// <summary>A closed socket is never reported.</summary>
        public void OnSweep()
        {
            if (socket.IsClosed)
            {
                Complete();
            }
        }

        public void Fail(Exception fault) => Complete();

        public void GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);

        private void Complete()
        {
            if (Interlocked.Exchange(ref _isOver, 1) != 0)
            {
                return;
            }
            loop.Remove(this);
            loop.Epoll.Forget(socket);
            _source.SetResult(true);
        }
    }
}
