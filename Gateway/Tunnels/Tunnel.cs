using System.Net;
using System.Net.Sockets;
using AspireChat.WebSockets;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// The way of one socket through the gateway. It connects to a replica and asks it for the upgrade (<see cref="ReplicaHandshake"/>). From
/// <see cref="StartAsync"/> on, the loop passes on what either side sends: one receive and one send per chunk. A side that is full stops the
/// reading of the other one, so at most one chunk waits in each direction. The loop's thread shares it with others under a lock. Thread-safe.
/// </summary>
internal sealed class Tunnel : IEventLoopMember, IConnectionReader, IDisposable
{
    /// <summary>
    /// What is read of a client at once. Clients send little; more would let one that floods its replica delay the others of its loop.
    /// </summary>
    private const int MostOfClient = 16 * 1024;

    private static readonly TimeSpan BlockedLook = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly EventLoop<IEventLoopMember> _loop;
    private readonly TimeSpan _idle;
    private Socket _replica = NewSocket();
    private Interest _replicaInterest;
    private SocketOutput _replicaOutput;
    private ReplicaHandshake? _handshake;
    private LoopConnection? _client;
    private Interest _clientInterest;
    private ClientOutput? _clientOutput;
    private TunnelPlace? _place;
    private TaskCompletionSource? _ended;
    private byte[]? _farewell;
    private Stage _stage = Stage.Connecting;
    private bool _isLookedAfter;
    private long _movedAt;

    /// <param name="request">The head of the handshake, sent as soon as there is a connection.</param>
    /// <param name="idle">After this long without a byte in either direction the tunnel ends.</param>
    public Tunnel(EventLoop<IEventLoopMember> loop, byte[] request, TimeSpan idle)
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
        Ended,
    }

    public long Id { get; } = EventLoops.NextId();

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
                    (_replica, _replicaInterest) = (NewSocket(), default);
                    _handshake!.Restart();
                }
            }
        }
    }

    /// <summary>Completes when the tunnel has ended.</summary>
    public Task Ended
    {
        get
        {
            lock (_gate)
            {
                return _stage == Stage.Ended
                    ? Task.CompletedTask
                    : (_ended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <summary>
    /// From now on what the replica sends goes to the client, and what the client sends goes to the replica, until one of them is gone or
    /// nothing moved for too long. Nothing else may write to the client. The tunnel closes its connection and gives its place back.
    /// </summary>
    /// <param name="first">What the replica sent behind its answer.</param>
    public async Task StartAsync(LoopConnection client, byte[] first, TunnelPlace place)
    {
        var early = await client.TakeAsync(this);
        lock (_gate)
        {
            (_client, _place) = (client, place);
            if (_stage != Stage.Answered)
            {
                Fail(new ObjectDisposedException(nameof(Tunnel)));
                Leave();
                return;
            }

            _clientOutput = new ClientOutput(client.Socket.SafeHandle);
            _handshake = null;
            _stage = Stage.Flowing;
            _movedAt = _loop.Time.GetTimestamp();
            Follow(_clientOutput.Write(first));
            if (_stage == Stage.Flowing)
            {
                Follow(_replicaOutput.Send(_replica.SafeHandle, early));
            }

            SayFarewell();
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
    public void Cut()
    {
        lock (_gate)
        {
            End();
        }
    }

    /// <summary>Called by the loop when the replica's socket is ready.</summary>
    public void OnReady(byte[] buffer)
    {
        lock (_gate)
        {
            switch (_stage)
            {
                case Stage.Connecting: OnConnected(); break;
                case Stage.Asking: OnAnswer(buffer); break;
                case Stage.Flowing: OnReplicaReady(buffer); break;
            }
        }
    }

    public void OnConnectionReady(byte[] buffer)
    {
        lock (_gate)
        {
            if (_stage != Stage.Flowing)
            {
                return;
            }
            if (_clientOutput!.IsFull)
            {
                var state = _clientOutput.WriteRest(out var hasMoved);
                Moved(hasMoved);
                Follow(state);
            }
            if (_stage == Stage.Flowing && !_replicaOutput.IsFull
                && Receive(_client!.Socket, buffer.AsSpan(0, MostOfClient)) is var received and > 0)
            {
                Follow(_replicaOutput.Send(_replica.SafeHandle, buffer.AsSpan(0, received)));
            }
        }
    }

    public void OnClosed() => Cut();

    /// <summary>Ends the tunnel when it has been silent for too long.</summary>
    public void OnSweep()
    {
        if (_loop.Time.GetElapsedTime(Volatile.Read(ref _movedAt), _loop.Now) > _idle)
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
        lock (_gate)
        {
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
            WatchReplica(Readiness.Writable);
            return _handshake!.Connected;
        }
    }

    private void OnConnected()
    {
        if (_handshake!.OnConnected(_replica))
        {
            _stage = Stage.Asking;
            WatchReplica(Readiness.Readable);
        }
        else
        {
            WatchReplica(Readiness.None);
        }
    }

    private void OnAnswer(byte[] buffer)
    {
        if (Receive(_replica, buffer) is var received and > 0 && _handshake!.OnAnswer(buffer.AsSpan(0, received)))
        {
            WatchReplica(Readiness.None);
            _stage = Stage.Answered;
        }
    }

    private void OnReplicaReady(byte[] buffer)
    {
        if (_replicaOutput.IsFull)
        {
            var state = _replicaOutput.SendRest(_replica.SafeHandle, out var hasMoved);
            Moved(hasMoved);
            Follow(state);
        }
        if (_stage == Stage.Flowing && !_clientOutput!.IsFull && Receive(_replica, buffer) is var received and > 0)
        {
            Follow(_clientOutput.Write(buffer.AsSpan(0, received)));
        }
    }

    private void SayFarewell()
    {
        if (_farewell is not null && _stage == Stage.Flowing)
        {
            Follow(_clientOutput!.Leave(_farewell));
        }
    }

    /// <summary>Watches both sockets for what matters next. Each is read while the other one has room.</summary>
    private void Follow(OutputState state)
    {
        if (state == OutputState.Gone)
        {
            End();
        }
        if (_stage != Stage.Flowing)
        {
            return;
        }

        var (isClientFull, isReplicaFull) = (_clientOutput!.IsFull, _replicaOutput.IsFull);
        WatchReplica(Of(read: !isClientFull, write: isReplicaFull));
        _clientInterest.Set(_loop.Epoll, _client!.Socket.SafeHandle, Of(read: !isReplicaFull, write: isClientFull), _client.Id);
        if (isReplicaFull && !_isLookedAfter)
        {
            _isLookedAfter = true;
            _ = LookAfterClientAsync(_client.Socket);
        }
    }

    private static Readiness Of(bool read, bool write) =>
        (read ? Readiness.Readable : Readiness.None) | (write ? Readiness.Writable : Readiness.None);

    private void WatchReplica(Readiness wanted) => _replicaInterest.Set(_loop.Epoll, _replica.SafeHandle, wanted, Id);

    /// <summary>
    /// While the replica does not read, the client is not read either, and its end would not be seen. What a client that has gone left behind
    /// is not passed on: a replica that reads a client slowly would go on with it for minutes.
    /// </summary>
    private async Task LookAfterClientAsync(Socket client)
    {
        while (true)
        {
            await Task.Delay(BlockedLook, _loop.Time, CancellationToken.None);
            lock (_gate)
            {
                if (_stage != Stage.Flowing || !_replicaOutput.IsFull)
                {
                    _isLookedAfter = false;
                    return;
                }
                if (TcpPeer.IsGone(client))
                {
                    // Ends with a reset, which takes what the replica has not read with it.
                    _replica.LingerState = new LingerOption(enable: true, seconds: 0);
                    End();
                    return;
                }
            }
        }
    }

    /// <summary>0 or less: nothing after all, or the end of this side and thereby of the tunnel.</summary>
    private int Receive(Socket from, Span<byte> buffer)
    {
        var received = Epoll.Receive(from.SafeHandle, buffer, out var isBroken);
        Moved(received > 0);
        if (received == 0 || isBroken)
        {
            _handshake?.Fail(new SocketException((int)SocketError.ConnectionReset));
            End();
        }

        return received;
    }

    private void Moved(bool hasMoved)
    {
        if (hasMoved)
        {
            Volatile.Write(ref _movedAt, _loop.Now);
        }
    }

    private void End()
    {
        if (_stage == Stage.Ended)
        {
            return;
        }

        _stage = Stage.Ended;
        _loop.Remove(this);
        _replica.Dispose();
        _replicaOutput.Release();
        _clientOutput?.Release();
        _ended?.SetResult();
        Leave();
    }

    /// <summary>Closes the client's connection and gives the place back, once both are known.</summary>
    private void Leave()
    {
        if (_client is { } client)
        {
            _clientInterest.Set(_loop.Epoll, client.Socket.SafeHandle, Readiness.None, client.Id);
            client.Close();
            _place?.Dispose();
            _place = null;
        }
    }
}
