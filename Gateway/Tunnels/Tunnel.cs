using System.Buffers;
using System.Net;
using System.Net.Sockets;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// The way of one socket through the gateway: connects to a replica, asks it for the upgrade, and from <see cref="Flow"/> on hands
/// everything the replica sends to the client. The other direction, where there is little to move, is <see cref="RunAsync"/>. The loop's
/// thread and the connection's share it under a lock.
/// </summary>
internal sealed class Tunnel : IEventLoopMember, IDisposable
{
    private const int LongestHead = 32 * 1024;
    private static long _lastId;

    private readonly Lock _gate = new();
    private readonly EventLoop<Tunnel> _loop;
    private readonly TimeSpan _idle;
    private byte[] _request;
    private Socket _replica = NewSocket();

    // Only for the handshake, like the request.
    private TaskCompletionSource? _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<byte[]>? _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ConnectionContext? _connection;
    private Stage _stage = Stage.Connecting;
    private SafeSocketHandle? _client;
    private long _movedAt;
    private ServerFrameBounds _bounds = new();
    private byte[]? _farewell;
    private bool _left;
    private bool _over;

    /// <summary>While connecting: what came of the answer. While flowing: what did not fit into the client's socket.</summary>
    private byte[] _kept = [];

    private int _keptFrom;

    /// <param name="request">The head of the handshake, sent as soon as there is a connection.</param>
    /// <param name="idle">After this long without a byte in either direction the tunnel ends.</param>
    public Tunnel(EventLoop<Tunnel> loop, byte[] request, TimeSpan idle)
    {
        _loop = loop;
        _request = request;
        _idle = idle;
        _movedAt = loop.Time.GetTimestamp();
    }

    private enum Stage
    {
        Connecting,
        Asking,
        Answered,
        Flowing,

        /// <summary>The client's socket is full: nothing is read until it has room again.</summary>
        Waiting,
        Ended,
    }

    public long Id { get; } = Interlocked.Increment(ref _lastId);

    /// <summary>The replica's answer: the head, and what came behind it.</summary>
    /// <exception cref="SocketException">It broke off.</exception>
    public Task<byte[]> Answered => _answered!.Task;

    /// <summary>Tries the addresses in turn. Returns when the request is on its way.</summary>
    /// <param name="timeout">For each address.</param>
    /// <exception cref="SocketException">Nobody listens at any of them.</exception>
    /// <exception cref="TimeoutException">The last one did not answer.</exception>
    public async Task ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, TimeSpan timeout, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                await Connect(new IPEndPoint(addresses[i], port)).WaitAsync(timeout, _loop.Time, cancellationToken);
                return;
            }
            catch (Exception e) when (e is SocketException or TimeoutException && i + 1 < addresses.Count)
            {
                lock (_gate)
                {
                    _replica.Dispose();
                    _replica = NewSocket();
                    _connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }

    /// <summary>
    /// From now on what the replica sends goes to the client. Nothing else may be on its way to that socket, and nothing else may write.
    /// </summary>
    /// <param name="first">What came behind the answer.</param>
    public void Flow(Socket client, ReadOnlySpan<byte> first)
    {
        lock (_gate)
        {
            if (_stage != Stage.Answered || _over)
            {
                return;
            }

            _client = client.SafeHandle;
            _stage = Stage.Flowing;
            (_kept, _request, _connected, _answered) = ([], [], null, null);
            _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Readable, Id);
            if (!first.IsEmpty)
            {
                Deliver(first);
            }

            SayFarewell();
        }
    }

    /// <summary>
    /// What the client sends goes to the replica, and the client is not read while that does not read. Returns when either of them is gone,
    /// or nothing moved for too long.
    /// </summary>
    public async Task RunAsync(ConnectionContext client)
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            _connection = client;
        }
        var input = client.Transport.Input;
        try
        {
            while (true)
            {
                // Holds no buffer while the client is silent.
                var read = await input.ReadAsync(CancellationToken.None);
                foreach (var part in read.Buffer)
                {
                    await SendAsync(part);
                }

                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One side is gone; the other learns it when this returns.
        }
    }

    /// <summary>
    /// Sends the client away, now or at the end of the message that is under way; what the replica still sends then goes nowhere.
    /// </summary>
    /// <param name="farewell">Whole frames, the last of them a close.</param>
    public void Leave(byte[] farewell)
    {
        lock (_gate)
        {
            _farewell ??= farewell;
            SayFarewell();
        }
    }

    /// <summary>The client had its time to go.</summary>
    public void Cut() => Volatile.Read(ref _connection)?.Abort();

    /// <summary>Called by the loop when a socket of this tunnel is ready.</summary>
    public void OnReady(byte[] buffer)
    {
        lock (_gate)
        {
            switch (_stage)
            {
                case Stage.Connecting: OnConnected(); break;
                case Stage.Asking: OnAnswer(buffer); break;
                case Stage.Flowing: OnReadable(buffer); break;
                case Stage.Waiting: OnWritable(); break;
            }
        }
    }

    /// <summary>Ends the tunnel when it has been silent for too long.</summary>
    public void OnSweep()
    {
        if (_loop.Time.GetElapsedTime(Volatile.Read(ref _movedAt)) > _idle)
        {
            Fail(new TimeoutException("Nothing moved for too long."));
        }
    }

    public void Fail(Exception fault)
    {
        lock (_gate)
        {
            _connected?.TrySetException(fault);
            _answered?.TrySetException(fault);
            End();
        }
    }

    public void Dispose()
    {
        _loop.Remove(this);
        lock (_gate)
        {
            if (_stage == Stage.Ended)
            {
                return;
            }
            // The client's descriptor outlives this; the replica's takes its registration with it.
            if (_stage == Stage.Waiting)
            {
                _loop.Epoll.Forget(_client!);
            }

            if (_kept.Length > 0 && _client is not null)
            {
                ArrayPool<byte>.Shared.Return(_kept);
            }

            _stage = Stage.Ended;
            Fail(new ObjectDisposedException(nameof(Tunnel)));
            // Whoever still waits has gone; an exception that nobody looks at is no news.
            _ = _connected?.Task.Exception;
            _ = _answered?.Task.Exception;
        }
    }

    private static Socket NewSocket() => new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, Blocking = false };

    private Task Connect(IPEndPoint address)
    {
        lock (_gate)
        {
            _loop.Add(this);
            try
            {
                // Not the asynchronous way: that would have the framework's own loop woken by every byte that arrives here.
                _replica.Connect(address);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // As it should: the loop tells when it is done.
            }
            _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Writable, Id);
            return _connected!.Task;
        }
    }

    private void OnConnected()
    {
        _loop.Epoll.Forget(_replica.SafeHandle);
        var error = (SocketError)(int)_replica.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        // A handshake is smaller than the buffer of a new connection.
        if (error != SocketError.Success || Epoll.Send(_replica.SafeHandle, _request) != _request.Length)
        {
            _connected!.TrySetException(new SocketException((int)(error == SocketError.Success ? SocketError.ConnectionReset : error)));
            return;
        }
        _stage = Stage.Asking;
        _connected!.TrySetResult();
        _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Readable, Id);
    }

    private void OnAnswer(byte[] buffer)
    {
        if (Receive(buffer) is not { } received)
        {
            return;
        }

        _kept = [.. _kept, .. received.Span];
        if (_kept.AsSpan().IndexOf("\r\n\r\n"u8) < 0 && _kept.Length < LongestHead)
        {
            return;
        }

        _loop.Epoll.Forget(_replica.SafeHandle);
        _stage = Stage.Answered;
        _answered!.TrySetResult(_kept);
    }

    private void OnReadable(byte[] buffer)
    {
        if (Receive(buffer) is { } received)
        {
            Deliver(received.Span);
        }
    }

    private void Deliver(ReadOnlySpan<byte> bytes)
    {
        Volatile.Write(ref _movedAt, _loop.Time.GetTimestamp());
        if (_left)
        {
            return;
        }

        _bounds.Advance(bytes);
        Pass(bytes);
        SayFarewell();
    }

    private void SayFarewell()
    {
        if (_farewell is null || _left || _stage != Stage.Flowing || !_bounds.CanInsert)
        {
            return;
        }

        _left = true;
        Pass(_farewell);
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        var sent = Epoll.Send(_client!, bytes);
        if (sent < 0)
        {
            End();
        }

        if (sent < 0 || sent == bytes.Length)
        {
            return;
        }

        var rest = bytes[sent..];
        _kept = ArrayPool<byte>.Shared.Rent(rest.Length);
        _keptFrom = _kept.Length - rest.Length;
        rest.CopyTo(_kept.AsSpan(_keptFrom));
        _stage = Stage.Waiting;
        _loop.Epoll.Forget(_replica.SafeHandle);
        _loop.Epoll.Watch(_client!, Readiness.Writable, Id);
    }

    private void OnWritable()
    {
        var sent = Epoll.Send(_client!, _kept.AsSpan(_keptFrom));
        if (sent > 0)
        {
            Volatile.Write(ref _movedAt, _loop.Time.GetTimestamp());
        }

        _keptFrom += Math.Max(0, sent);
        if (sent >= 0 && _keptFrom < _kept.Length)
        {
            return;
        }

        _loop.Epoll.Forget(_client!);
        ArrayPool<byte>.Shared.Return(_kept);
        _kept = [];
        _stage = Stage.Flowing;
        if (sent < 0)
        {
            End();
            return;
        }
        _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Readable, Id);
        SayFarewell();
    }

    /// <summary>Null: nothing after all, or the end.</summary>
    private ReadOnlyMemory<byte>? Receive(byte[] buffer)
    {
        var received = _replica.Receive(buffer, 0, buffer.Length, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
        {
            return null;
        }

        if (error == SocketError.Success && received > 0)
        {
            return buffer.AsMemory(0, received);
        }

        if (_stage == Stage.Asking)
        {
            Fail(new SocketException((int)SocketError.ConnectionReset));
        }

        End();
        return null;
    }

    /// <summary>Wakes <see cref="RunAsync"/>, wherever it waits.</summary>
    private void End()
    {
        if (_over)
        {
            return;
        }

        _over = true;
        // Takes the registration with it (level-triggered: a socket at its end would be reported for ever), and ends a send that is stuck.
        _replica.Dispose();
        _connection?.Transport.Input.CancelPendingRead();
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        Volatile.Write(ref _movedAt, _loop.Time.GetTimestamp());
        // The framework's asynchronous call keeps 300 bytes for the socket's next one: only for a replica that does not read.
        var sent = Epoll.Send(_replica.SafeHandle, bytes.Span);
        if (sent < 0)
        {
            throw new SocketException((int)SocketError.ConnectionReset);
        }

        for (bytes = bytes[sent..]; !bytes.IsEmpty;)
        {
            bytes = bytes[await _replica.SendAsync(bytes, CancellationToken.None)..];
        }
    }
}
