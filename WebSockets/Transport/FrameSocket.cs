using System.Buffers;
using System.Net.Sockets;

namespace AspireChat.WebSockets;

/// <summary>
/// A WebSocket on a connection that has left HTTP: an event loop reads the client's frames, and whoever has frames for the client writes them
/// to the TCP socket. While a caller waits in <see cref="ReadAsync"/>, it goes on within the loop's turn, on the loop's thread. While none
/// waits, the socket is not read. One reader and one writer at a time, each on any thread.
/// </summary>
public sealed class FrameSocket : IConnectionReader, IFrameWriter, IDisposable
{
    private const int MostBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly LoopConnection _connection;
    private readonly FrameReader _frames;
    private readonly SafeSocketHandle _handle;
    private readonly Signal<MessageKind> _message = new();
    private Signal<bool>? _writable;
    private Interest _interest;
    private bool _isReading;
    private bool _isOver;

    /// <summary>What has arrived and is not read yet: a part of the loop's buffer during its turn, of a rented one otherwise.</summary>
    private byte[]? _arrived;

    private int _from;
    private int _to;
    private bool _isRented;

    private FrameSocket(LoopConnection connection, FrameReader frames)
    {
        _connection = connection;
        _frames = frames;
        _handle = connection.Socket.SafeHandle;
    }

    public bool WritesControlFrames => true;

    /// <summary>The message that was read, valid until the next read.</summary>
    public ReadOnlySpan<byte> Text => _frames.Text;

    /// <summary>Bytes of the message, also of one that was skipped. Valid until the next read.</summary>
    public long MessageBytes => _frames.MessageBytes;

    /// <summary>The payload of the last ping.</summary>
    public byte[] PingPayload => _frames.PingPayload;

    /// <summary>After <see cref="MessageKind.Fault"/>: how to close.</summary>
    public (int Code, string Reason) Fault => _frames.Fault;

    /// <summary>Set by every byte that arrives; the caller resets it to find out whether the client still lives.</summary>
    public bool Heard { get; set; }

    /// <summary>A caller waits for a message.</summary>
    public bool IsReading => _message.IsAwaited;

    /// <summary>The client has closed its end, although what it sent before may not have been read yet.</summary>
    public bool IsClientGone => TcpPeer.IsGone(_connection.Socket);

    /// <summary>Cancelled when the connection is closed on this side.</summary>
    public CancellationToken Closed => _connection.ConnectionClosed;

    /// <summary>Takes the connection over. HTTP has ended on it, and the answer to the handshake is on its way.</summary>
    public static async Task<FrameSocket> TakeAsync(LoopConnection connection, FrameReader frames)
    {
        var socket = new FrameSocket(connection, frames);
        var early = await connection.TakeAsync(socket);
        if (early.Length > 0)
        {
            lock (socket._gate)
            {
                socket.Keep(early);
            }
        }
        return socket;
    }

    /// <summary>Cuts the connection: who reads or writes learns that the client is gone.</summary>
    public void Abort() => _connection.Abort();

    /// <exception cref="IOException">The connection has ended.</exception>
    public ValueTask<MessageKind> ReadAsync()
    {
        lock (_gate)
        {
            if (Next() is { } kind)
            {
                return ValueTask.FromResult(kind);
            }
            return Watch(isReading: true) ? _message.WaitAsync() : ValueTask.FromException<MessageKind>(Gone());
        }
    }

    /// <summary>Skips what the client still sends, until it has closed too (<see cref="FrameReader.Discard"/>).</summary>
    /// <exception cref="IOException">The connection has ended.</exception>
    public async Task DiscardAsync()
    {
        lock (_gate)
        {
            _frames.Discard();
        }
        while (!_frames.IsDone)
        {
            await ReadAsync();
        }
    }

    /// <exception cref="SocketException">The client is gone.</exception>
    public ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        var count = frames.CountIn(MostBytes, from, out var bytes);
        if (count > 1)
        {
            return WriteAsync(frames, from, count, bytes);
        }
        // A single frame goes out of the array that all connections share.
        var frame = frames[from].Bytes;
        var sent = Send(frame.Span);
        return sent == frame.Length ? ValueTask.FromResult(1) : WriteRestAsync(frame[sent..]);
    }

    public async ValueTask WriteCloseAsync(int code, string reason) => await WriteRestAsync(CloseFrame.Encode(code, reason).Bytes);

    public void OnConnectionReady(byte[] buffer)
    {
        lock (_gate)
        {
            if (_writable is { IsAwaited: true })
            {
                _writable.Set(true);
                Watch(_isReading);
            }
            if (!_isReading || _isOver)
            {
                return;
            }
            var received = Epoll.Receive(_handle, buffer, out var isBroken);
            if (received > 0)
            {
                OnReceived(buffer, received);
            }
            else if (received == 0 || isBroken)
            {
                End();
                FailReader();
            }
        }
    }

    public void OnClosed()
    {
        lock (_gate)
        {
            End();
        }
        // Not here: whoever cuts a connection has other things to do.
        ThreadPool.UnsafeQueueUserWorkItem(static socket => socket.Wake(), this, preferLocal: false);
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            End();
            Release();
            _frames.Dispose();
        }
        _connection.Close();
    }

    private void OnReceived(byte[] buffer, int count)
    {
        Heard = true;
        (_arrived, _from, _to) = (buffer, 0, count);
        if (Next() is { } kind)
        {
            _message.Set(kind);
        }
        if (_message.IsAwaited)
        {
            return;
        }
        // The caller does something else. What is left stays here, and the rest in the kernel.
        Watch(isReading: false);
        if (_arrived is not null && !_isRented)
        {
            Keep(_arrived.AsSpan(_from, _to - _from));
        }
    }

    /// <summary>The next message of what has arrived. Null: there is none, and nothing is left.</summary>
    private MessageKind? Next()
    {
        if (_arrived is null)
        {
            return null;
        }
        ReadOnlySpan<byte> bytes = _arrived.AsSpan(_from, _to - _from);
        var kind = _frames.Read(ref bytes);
        _from = _to - bytes.Length;
        if (_from == _to)
        {
            Release();
        }
        return kind;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        var kept = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(kept);
        (_arrived, _from, _to, _isRented) = (kept, 0, bytes.Length, true);
    }

    private void Release()
    {
        if (_isRented)
        {
            ArrayPool<byte>.Shared.Return(_arrived!);
        }
        (_arrived, _isRented) = (null, false);
    }

    private async ValueTask<int> WriteAsync(FrameList frames, int from, int count, int bytes)
    {
        var gathered = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            var length = 0;
            for (var i = from; i < from + count; i++)
            {
                frames[i].Bytes.Span.CopyTo(gathered.AsSpan(length));
                length += frames[i].Length;
            }
            await WriteRestAsync(gathered.AsMemory(0, length));
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    private async ValueTask<int> WriteRestAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            bytes = bytes[Send(bytes.Span)..];
            if (bytes.IsEmpty)
            {
                return 1;
            }
            // No token: the owner ends a wait that is too long by cutting the connection.
            await WritableAsync();
        }
    }

    private ValueTask<bool> WritableAsync()
    {
        lock (_gate)
        {
            _writable ??= new Signal<bool>();
            var writable = _writable.WaitAsync();
            if (!Watch(_isReading))
            {
                // The next send fails.
                _writable.Set(false);
            }
            return writable;
        }
    }

    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = Epoll.Send(_handle, bytes);
        return sent >= 0 ? sent : throw new SocketException((int)SocketError.ConnectionReset);
    }

    /// <returns>False: the socket is closed.</returns>
    private bool Watch(bool isReading)
    {
        _isReading = isReading;
        if (_isOver)
        {
            return false;
        }
        var writable = _writable is { IsAwaited: true } ? Readiness.Writable : Readiness.None;
        try
        {
            _interest.Set(_connection.Loop.Epoll, _handle, (isReading ? Readiness.Readable : Readiness.None) | writable, _connection.Id);
            return true;
        }
        catch (ObjectDisposedException)
        {
            // Somebody has just cut the connection.
            _isOver = true;
            return false;
        }
    }

    /// <summary>A socket whose other end is gone would be reported for ever.</summary>
    private void End()
    {
        (_isOver, _isReading) = (true, false);
        _interest.Set(_connection.Loop.Epoll, _handle, Readiness.None, _connection.Id);
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_writable is { IsAwaited: true })
            {
                _writable.Set(false);
            }
            FailReader();
        }
    }

    private void FailReader()
    {
        if (_message.IsAwaited)
        {
            _message.Fail(Gone());
        }
    }

    private static IOException Gone() => new("The client is gone.");
}
