using System.Net;
using System.Net.Sockets;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// The way of one socket through the gateway. It connects to a replica and asks it for the upgrade (<see cref="ReplicaHandshake"/>). From
/// <see cref="Flow"/> on it hands everything that the replica sends to the client (<see cref="ClientOutput"/>). The other direction, in
/// which little moves, is <see cref="RunAsync"/>. The loop's thread and the connection's share it under a lock. Thread-safe.
/// </summary>
internal sealed class Tunnel : IEventLoopMember, IDisposable
{
    private static long _lastId;

    private readonly Lock _gate = new();
    private readonly EventLoop<Tunnel> _loop;
    private readonly TimeSpan _idle;
    private Socket _replica = NewSocket();
    private ReplicaHandshake? _handshake;
    private ClientOutput? _output;
    private Socket? _client;
    private volatile bool _isBlocked;
    private ConnectionContext? _connection;
    private byte[]? _farewell;
    private Stage _stage = Stage.Connecting;
    private long _movedAt;
    private bool _isOver;

    /// <param name="request">The head of the handshake, sent as soon as there is a connection.</param>
    /// <param name="idle">After this long without a byte in either direction the tunnel ends.</param>
    public Tunnel(EventLoop<Tunnel> loop, byte[] request, TimeSpan idle)
    {
        _loop = loop;
        _handshake = new ReplicaHandshake(request);
        _idle = idle;
        _movedAt = loop.Time.GetTimestamp();
    }

    private enum Stage
    {
        Connecting,
        Asking,
        Answered,
        Flowing,

        /// <summary>The client's socket is full: nothing is read from the replica until it has room again.</summary>
        Waiting,
        Ended,
    }

    public long Id { get; } = Interlocked.Increment(ref _lastId);

    /// <summary>The replica's answer: the head, and what came behind it.</summary>
    /// <exception cref="SocketException">The replica broke off.</exception>
    public Task<byte[]> Answered => _handshake!.Answered;

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
                    _handshake!.Restart();
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
            if (_stage != Stage.Answered || _isOver)
            {
                return;
            }

            _client = client;
            _output = new ClientOutput(client.SafeHandle);
            _handshake = null;
            _stage = Stage.Flowing;
            _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Readable, Id);
            if (!first.IsEmpty)
            {
                Deliver(first);
            }
            SayFarewell();
        }
    }

    /// <summary>
    /// What the client sends goes to the replica. While the replica does not read, the client is not read either. Returns when one of them
    /// is gone, or nothing moved for too long.
    /// </summary>
    public async Task RunAsync(ConnectionContext client)
    {
        lock (_gate)
        {
            if (_isOver)
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
            // One side is gone; the other one learns it when this returns.
        }
    }

    /// <summary>
    /// Sends the client away, now or at the end of the message that is under way. What the replica still sends then goes nowhere.
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

    /// <summary>
    /// Ends the tunnel when it has been silent for too long, or when its client has gone while the replica was not reading. What such a client has
    /// left behind is not passed on: a replica that reads a client slowly would go on with it for minutes.
    /// </summary>
    public void OnSweep()
    {
        if (_isBlocked && _client is { } client && TcpPeer.IsGone(client))
        {
            Abandon();
            return;
        }

        if (_loop.Time.GetElapsedTime(Volatile.Read(ref _movedAt)) > _idle)
        {
            Fail(new TimeoutException("Nothing moved for too long."));
        }
    }

    public void Fail(Exception fault)
    {
        lock (_gate)
        {
            _handshake?.Fail(fault);
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
            // The client's descriptor outlives this. The replica's takes its registration with it.
            if (_stage == Stage.Waiting)
            {
                _loop.Epoll.Forget(_output!.Client);
            }

            _output?.Release();
            _stage = Stage.Ended;
            Fail(new ObjectDisposedException(nameof(Tunnel)));
            _handshake?.Forget();
        }
    }

    // What a client may send ahead of a replica that does not read. The kernel would take megabytes, and copying them delays everybody else.
    private static Socket NewSocket() =>
        new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, Blocking = false, SendBufferSize = 64 * 1024 };

    private Task Connect(IPEndPoint address)
    {
        lock (_gate)
        {
            _loop.Add(this);
            try
            {
                // Not the asynchronous call: with it every byte that arrives here would wake the framework's own loop.
                _replica.Connect(address);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // As it should: the loop tells when it is done.
            }
            _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Writable, Id);
            return _handshake!.Connected;
        }
    }

    private void OnConnected()
    {
        _loop.Epoll.Forget(_replica.SafeHandle);
        if (_handshake!.OnConnected(_replica))
        {
            _stage = Stage.Asking;
            _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Readable, Id);
        }
    }

    private void OnAnswer(byte[] buffer)
    {
        if (Receive(buffer) is { } received && _handshake!.OnAnswer(received.Span))
        {
            _loop.Epoll.Forget(_replica.SafeHandle);
            _stage = Stage.Answered;
        }
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
        Follow(_output!.Write(bytes));
    }

    private void SayFarewell()
    {
        if (_farewell is not null && _stage is Stage.Flowing or Stage.Waiting)
        {
            Follow(_output!.Leave(_farewell!, isFree: _stage == Stage.Flowing));
        }
    }

    private void OnWritable()
    {
        var state = _output!.WriteRest(out var hasMoved);
        if (hasMoved)
        {
            Volatile.Write(ref _movedAt, _loop.Time.GetTimestamp());
        }
        Follow(state);
    }

    /// <summary>Watches the socket that matters next: the replica's, or the client's while that one is full.</summary>
    private void Follow(ClientOutput.State state)
    {
        switch (state, _stage)
        {
            case (ClientOutput.State.Full, Stage.Flowing):
                _stage = Stage.Waiting;
                if (!_isOver)
                {
                    _loop.Epoll.Forget(_replica.SafeHandle);
                }

                _loop.Epoll.Watch(_output!.Client, Readiness.Writable, Id);
                break;
            case (ClientOutput.State.Free, Stage.Waiting):
                _stage = Stage.Flowing;
                _loop.Epoll.Forget(_output!.Client);
                if (!_isOver)
                {
                    _loop.Epoll.Watch(_replica.SafeHandle, Readiness.Readable, Id);
                }
                break;
            case (ClientOutput.State.Gone, _):
                if (_stage == Stage.Waiting)
                {
                    _stage = Stage.Flowing;
                    _loop.Epoll.Forget(_output!.Client);
                }
                End();
                break;
        }
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

    /// <summary>Ends with a reset, which takes what the replica has not read with it.</summary>
    private void Abandon()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _replica.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            End();
        }
    }

    /// <summary>Wakes <see cref="RunAsync"/>, wherever it waits.</summary>
    private void End()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
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
            _isBlocked = true;
            bytes = bytes[await _replica.SendAsync(bytes, CancellationToken.None)..];
            _isBlocked = false;
        }
    }
}
