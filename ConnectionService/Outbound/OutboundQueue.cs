using System.Net.Sockets;
using System.Net.WebSockets;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>
/// A connection's <see cref="IOutbound"/>, whatever writes its frames. An idle connection owns no task, buffer or timer. The queue is
/// swapped under the lock and written outside of it, by the node's <see cref="OutboundDrain"/>; all that is queued goes out together.
/// </summary>
/// <param name="abort">Cuts the transport.</param>
internal sealed partial class OutboundQueue(IFrameWriter writer, OutboundLimits limits, OutboundDrain drain, OutboundMetrics metrics,
    TimeProvider time, ILogger logger, Action abort, string connection) : IOutbound
{
    private readonly Lock _gate = new();
    private FrameList? _queue;
    private List<Action>? _resumes;
    private TaskCompletionSource? _closed;
    private ITimer? _late;
    private string _reason = "";

    /// <summary>Bytes in the queue and in the batch that is being written.</summary>
    private long _bytes;

    private ControlFrames _control;
    private int _code;
    private bool _sealed;
    private bool _discard;
    private bool _over;

    /// <summary>The drain has the queue, or will have it next.</summary>
    private bool _isDraining;

    /// <summary>Completes when the close frame is written or the socket is dead: nothing is sent after that.</summary>
    public Task Closed
    {
        get
        {
            lock (_gate)
            {
                _closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_over)
                {
                    _closed.TrySetResult();
                }
                return _closed.Task;
            }
        }
    }

    /// <summary>Bytes that wait for the client or are being written. A glance without the lock.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The close code decided on, 0 while the connection is open.</summary>
    public int CloseCode => Volatile.Read(ref _code);

    public bool Send(OutboundFrame frame)
    {
        lock (_gate)
        {
            if (_sealed)
            {
                return false;
            }
            if (_bytes + frame.Length > limits.Bytes)
            {
                DropEphemeral();
            }
            if (_bytes + frame.Length > limits.Bytes)
            {
                metrics.Dropped("too_slow", (_queue?.Count ?? 0) + 1);
                Shed();
                return false;
            }
            Add(frame, ephemeral: false);
            return true;
        }
    }

    public bool SendEphemeral(OutboundFrame frame)
    {
        lock (_gate)
        {
            if (_sealed)
            {
                return false;
            }
            // The second half of the queue is for what must not be skipped.
            if (_bytes + frame.Length > limits.Bytes / 2)
            {
                metrics.Dropped("ephemeral");
                return false;
            }
            Add(frame, ephemeral: true);
            return true;
        }
    }

    public bool TryWaitForSpace(Action resume)
    {
        lock (_gate)
        {
            if (_sealed || _bytes <= limits.Bytes / 4)
            {
                return false;
            }
            (_resumes ??= []).Add(resume);
            return true;
        }
    }

    public void Close(int code, string reason)
    {
        lock (_gate)
        {
            if (!_sealed)
            {
                Seal(code, reason);
            }
        }
    }

    /// <summary>Frees the queue's memory: the client is closed as too slow, and gets everything again when it resumes.</summary>
    public void CloseTooSlow()
    {
        lock (_gate)
        {
            if (!_sealed)
            {
                metrics.Dropped("node_full", _queue?.Count ?? 0);
                Shed();
            }
        }
    }

    /// <summary>Answers a ping with its payload. Of several that wait only the last is answered, as RFC 6455 §5.5.3 allows.</summary>
    public void Pong(byte[] payload)
    {
        lock (_gate)
        {
            if (_sealed || !writer.WritesControlFrames)
            {
                return;
            }
            _control.Pong = payload;
            Drain();
        }
    }

    public void Ping()
    {
        lock (_gate)
        {
            if (_sealed || !writer.WritesControlFrames)
            {
                return;
            }
            _control.Ping = true;
            Drain();
        }
    }

    /// <summary>The session is over: forgets what is queued.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (!_sealed)
            {
                metrics.Closing(0);
            }
            _sealed = _over = true;
            Discard();
            _late?.Dispose();
            _closed?.TrySetResult();
        }
    }

    /// <summary>Writes all that is queued by now. Only for <see cref="OutboundDrain"/>, once per <see cref="OutboundDrain.Add"/>.</summary>
    public async Task DrainAsync()
    {
        try
        {
            bool close;
            for (var first = true; TakeBatch(first, out close) is { } batch; first = false)
            {
                // Too slow: the client will get all this again when it resumes.
                for (var next = 0; next < batch.Count && !Volatile.Read(ref _discard);)
                {
                    var written = await writer.WriteAsync(batch, next);
                    Written(batch, next, written);
                    next += written;
                }
                FrameList.Pool.Return(batch);
            }
            if (close)
            {
                await writer.WriteCloseAsync(CloseCode, _reason);
                SetOver();
            }
        }
        catch (Exception e) when (e is WebSocketException or SocketException or IOException or ObjectDisposedException
            or InvalidOperationException or OperationCanceledException)
        {
            // The client is gone, or the framework met a protocol error and has closed the socket.
            End();
        }
    }

    private void Add(OutboundFrame frame, bool ephemeral)
    {
        (_queue ??= FrameList.Pool.Get()).Add(frame, ephemeral);
        _bytes += frame.Length;
        Drain();
    }

    private void Shed()
    {
        Discard();
        Seal(CloseCodes.TooSlow, "too slow: reconnect and resume");
    }

    private void Seal(int code, string reason)
    {
        _sealed = true;
        _code = code;
        _reason = reason;
        metrics.Closing(code);
        if (code is not CloseStatus.Normal)
        {
            LogClosing(logger, connection, code, reason);
        }
        // A client that does not read cannot be told anything, and one that does not answer is not waited for.
        _late = time.CreateTimer(static abort => ((Action)abort!)(), abort, limits.CloseTimeout, Timeout.InfiniteTimeSpan);
        Drain();
    }

    private void Drain()
    {
        if (!_isDraining)
        {
            _isDraining = true;
            drain.Add(this);
        }
    }

    /// <summary>Null: nothing is to be written now; the last drainer of a sealed queue has the close frame to write.</summary>
    private FrameList? TakeBatch(bool first, out bool close)
    {
        lock (_gate)
        {
            close = false;
            if (_queue is null && _control.IsEmpty)
            {
                close = _sealed && !_over;
                _isDraining = _sealed;
                return null;
            }
            if (!first)
            {
                // Other queues first: a connection that always has more must not keep its drainer.
                drain.Add(this);
                return null;
            }
            var batch = _queue ?? FrameList.Pool.Get();
            _queue = null;
            _bytes += _control.MoveTo(batch);
            return batch;
        }
    }

    private void Written(FrameList batch, int from, int count)
    {
        var bytes = 0;
        for (var i = from; i < from + count; i++)
        {
            bytes += batch[i].Length;
        }
        metrics.Sent(count, bytes);
        List<Action>? resumes = null;
        lock (_gate)
        {
            _bytes -= bytes;
            if (_resumes is not null && _bytes <= limits.Bytes / 8)
            {
                (resumes, _resumes) = (_resumes, null);
            }
        }
        resumes?.ForEach(static resume => resume());
    }

    private void DropEphemeral()
    {
        if (_queue is null)
        {
            return;
        }
        var dropped = _queue.RemoveEphemeral(out var bytes);
        _bytes -= bytes;
        if (dropped > 0)
        {
            metrics.Dropped("ephemeral", dropped);
        }
    }

    private void Discard()
    {
        if (_queue is { } queue)
        {
            _queue = null;
            FrameList.Pool.Return(queue);
        }
        _control = default;
        _resumes = null;
        Volatile.Write(ref _discard, true);
    }

    private void SetOver()
    {
        lock (_gate)
        {
            _over = true;
            _closed?.TrySetResult();
        }
    }

    [LoggerMessage(LogEvents.Connection + 152, LogLevel.Information, "Connection {Connection} is closed: {Code} {Reason}")]
    private static partial void LogClosing(ILogger logger, string connection, int code, string reason);
}

/// <summary>What one connection may have waiting, and how long it may take to close.</summary>
/// <param name="Bytes">That wait to be sent to one connection.</param>
/// <param name="CloseTimeout">After which a closing connection is cut.</param>
internal sealed record OutboundLimits(int Bytes, TimeSpan CloseTimeout);

/// <summary>Makes each connection's queue. Thread-safe.</summary>
internal sealed class OutboundQueues(
    OutboundLimits limits, OutboundDrain drain, OutboundMetrics metrics, TimeProvider time, ILogger<OutboundQueue> logger)
{
    /// <param name="abort">Cuts the connection.</param>
    /// <param name="connection">Its id, for the log.</param>
    public OutboundQueue Create(IFrameWriter writer, Action abort, string connection) =>
        new(writer, limits, drain, metrics, time, logger, abort, connection);
}
