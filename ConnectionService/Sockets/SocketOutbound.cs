using System.Net.WebSockets;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// <see cref="IOutbound"/> by <see cref="WebSocket.SendAsync(ReadOnlyMemory{byte}, WebSocketMessageType, bool, CancellationToken)"/>. The
/// drainer runs only while
/// there is something to send: an idle connection owns no task. The queue is swapped under the lock and written outside of it.
/// </summary>
/// <param name="abort">Cuts the transport.</param>
internal sealed class SocketOutbound(
    WebSocket socket, Action abort, string connection, SocketOptions options, SocketMetrics metrics, TimeProvider time, ILogger logger)
    : IOutbound
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Entry> _queue = [];
    private List<Entry> _batch = [];
    private List<Action>? _resumes;

    /// <summary>Bytes in the queue and in the batch that is being written.</summary>
    private long _bytes;

    private bool _draining;
    private bool _sealed;
    private bool _discard;
    private int _code;
    private string _reason = "";

    /// <summary>Completes when the close frame is written or the socket is dead: nothing is sent after that.</summary>
    public Task Closed => _closed.Task;

    /// <summary>The close code decided on, 0 while the connection is open.</summary>
    public int CloseCode => Volatile.Read(ref _code);

    public bool Send(ReadOnlyMemory<byte> frame)
    {
        lock (_gate)
        {
            if (_sealed)
                return false;
            if (_bytes + frame.Length > options.OutboundBytes)
                DropEphemeral();
            if (_bytes + frame.Length > options.OutboundBytes)
            {
                metrics.Dropped("too_slow", _queue.Count + 1);
                Discard();
                Seal(CloseCodes.TooSlow, "too slow: reconnect and resume");
                return false;
            }
            Add(frame, ephemeral: false);
            return true;
        }
    }

    public bool SendEphemeral(ReadOnlyMemory<byte> frame)
    {
        lock (_gate)
        {
            if (_sealed)
                return false;
            // The second half of the queue is for what must not be skipped.
            if (_bytes + frame.Length > options.OutboundBytes / 2)
            {
                metrics.Dropped("ephemeral");
                return false;
            }
            Add(frame, ephemeral: true);
            return true;
        }
    }

    public bool TryWaitForRoom(Action resume)
    {
        lock (_gate)
        {
            if (_sealed || _bytes <= options.OutboundBytes / 4)
                return false;
            (_resumes ??= []).Add(resume);
            return true;
        }
    }

    public void Close(int code, string reason)
    {
        lock (_gate)
        {
            if (!_sealed)
                Seal(code, reason);
        }
    }

    /// <summary>The session is over: forgets what is queued.</summary>
    public void End()
    {
        bool writing;
        lock (_gate)
        {
            if (!_sealed)
                metrics.Closing(0);
            _sealed = true;
            Discard();
            writing = _draining && !_closed.Task.IsCompleted;
        }
        // Not in general: a reset would overtake the close frame that the framework sends on a protocol error, or this queue's own.
        if (writing)
            abort();
        _closed.TrySetResult();
        _ended.TrySetResult();
    }

    private void Add(ReadOnlyMemory<byte> frame, bool ephemeral)
    {
        _queue.Add(new Entry(frame, ephemeral));
        _bytes += frame.Length;
        StartDraining();
    }

    private void Seal(int code, string reason)
    {
        _sealed = true;
        _code = code;
        _reason = reason;
        metrics.Closing(code);
        if (code is not CloseCodes.Normal)
            SocketLog.Closing(logger, connection, code, reason);
        _ = AbortLateAsync();
        StartDraining();
    }

    private void StartDraining()
    {
        if (_draining)
            return;
        _draining = true;
        ThreadPool.UnsafeQueueUserWorkItem(static outbound => _ = outbound.DrainAsync(), this, preferLocal: false);
    }

    private async Task DrainAsync()
    {
        try
        {
            bool close;
            while (TakeBatch(out close))
            {
                foreach (var entry in _batch)
                {
                    // Too slow: the client will get all this again when it resumes.
                    if (Volatile.Read(ref _discard))
                        break;
                    await socket.SendAsync(entry.Frame, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage,
                        CancellationToken.None);
                    metrics.Sent(entry.Frame.Length);
                    Written(entry.Frame.Length);
                }
            }
            if (close)
            {
                await socket.CloseOutputAsync((WebSocketCloseStatus)CloseCode, _reason, CancellationToken.None);
                _closed.TrySetResult();
            }
        }
        catch (Exception e) when (e
            is WebSocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The client is gone, or the read loop met a protocol error and the framework has closed the socket.
            End();
        }
    }

    /// <summary>False: nothing is queued, and this drainer is done; the last one of a sealed queue has the close frame to write.</summary>
    private bool TakeBatch(out bool close)
    {
        lock (_gate)
        {
            _batch.Clear();
            close = false;
            if (_queue.Count == 0)
            {
                close = _draining = _sealed;
                return false;
            }
            (_batch, _queue) = (_queue, _batch);
            return true;
        }
    }

    private void Written(int bytes)
    {
        List<Action>? resumes = null;
        lock (_gate)
        {
            _bytes -= bytes;
            if (_resumes is not null && _bytes <= options.OutboundBytes / 8)
                (resumes, _resumes) = (_resumes, null);
        }
        if (resumes is null)
            return;
        foreach (var resume in resumes)
            resume();
    }

    private void DropEphemeral()
    {
        var dropped = 0;
        foreach (var entry in _queue)
        {
            if (!entry.Ephemeral)
                continue;
            _bytes -= entry.Frame.Length;
            dropped++;
        }
        if (dropped == 0)
            return;
        _queue.RemoveAll(entry => entry.Ephemeral);
        metrics.Dropped("ephemeral", dropped);
    }

    private void Discard()
    {
        foreach (var entry in _queue)
            _bytes -= entry.Frame.Length;
        _queue.Clear();
        _resumes = null;
        Volatile.Write(ref _discard, true);
    }

    /// <summary>
    /// A client that does not read cannot be told anything, and one that does not answer is not waited for: the connection is cut.
    /// </summary>
    private async Task AbortLateAsync()
    {
        using var done = new CancellationTokenSource();
        var timeout = Task.Delay(options.CloseTimeout, time, done.Token);
        if (await Task.WhenAny(_ended.Task, timeout) == timeout)
            abort();
        else
            await done.CancelAsync();
    }

    private readonly record struct Entry(ReadOnlyMemory<byte> Frame, bool Ephemeral);
}
