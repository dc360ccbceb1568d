using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace AspireChat.WebSockets;

/// <summary>Has the connection after HTTP, and watches its socket. Called by the loop's thread, except for <see cref="OnClosed"/>.</summary>
public interface IConnectionReader
{
    /// <summary>The socket is ready for what it is watched for.</summary>
    /// <param name="buffer">The loop's, for this call.</param>
    void OnConnectionReady(byte[] buffer);

    /// <summary>The connection was closed by somebody else.</summary>
    void OnClosed();
}

/// <summary>
/// A connection of the <see cref="LoopTransport"/>. The loop reads it into a pipe for the server, and a task writes what the server answers.
/// After an upgrade a reader takes the socket (<see cref="TakeAsync"/>): then pipes, buffers, the task and the server's own objects are gone, and
/// the reader closes the socket. Thread-safe.
/// </summary>
public sealed class LoopConnection : ConnectionContext, IEventLoopMember, IConnectionSocketFeature, IConnectionIdFeature,
    IConnectionItemsFeature, IConnectionTransportFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature
{
    private static readonly string Process = Convert.ToHexString(BitConverter.GetBytes(Random.Shared.Next()));

    private static readonly FeatureCollection Left = new();

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closed = new();
    private IFeatureCollection _features;
    private Task? _sending;
    private ConnectionPipes? _pipes;
    private volatile IConnectionReader? _reader;
    private TaskCompletionSource? _writable;
    private Interest _interest;
    private bool _isReading;
    private bool _isClosed;
    private bool _hasFired;

    internal LoopConnection(Socket socket, EventLoop<IEventLoopMember> loop, ConnectionBuffers buffers)
    {
        Socket = socket;
        Loop = loop;
        // The socket forgets them when it is closed.
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        _pipes = new ConnectionPipes(buffers);
        Transport = _pipes.Server;
        ConnectionClosed = _closed.Token;
        var features = new FeatureCollection(initialCapacity: 16);
        features.Set<IConnectionSocketFeature>(this);
        features.Set<IConnectionIdFeature>(this);
        features.Set<IConnectionItemsFeature>(this);
        features.Set<IConnectionTransportFeature>(this);
        features.Set<IConnectionLifetimeFeature>(this);
        features.Set<IConnectionEndPointFeature>(this);
        features.Set<IMemoryPoolFeature>(buffers);
        features.Set(this);
        _features = features;
        _sending = SendAsync(_pipes);
        Loop.Add(this);
        lock (_gate)
        {
            Watch(isReading: true);
        }
    }

    public long Id { get; } = EventLoops.NextId();

    public Socket Socket { get; }

    public EventLoop<IEventLoopMember> Loop { get; }

    public override IDuplexPipe Transport { get; set; }

    public override string ConnectionId { get => field ??= $"{Process}{Id:X}"; set; }

    public override IFeatureCollection Features => _features;

    public override IDictionary<object, object?> Items { get => field ??= new ConnectionItems(); set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    /// <summary>
    /// HTTP has ended, and nothing is on its way to the socket. From now on only <paramref name="reader"/> watches, reads and writes it.
    /// </summary>
    /// <returns>What the client has sent behind its request.</returns>
    public async Task<byte[]> TakeAsync(IConnectionReader reader)
    {
        ConnectionPipes pipes;
        lock (_gate)
        {
            pipes = _pipes!;
            Watch(isReading: false);
            _reader = reader;
            _pipes = null;
            pipes.Input.Writer.Complete();
        }

        pipes.Output.Reader.CancelPendingRead();
        await _sending!;
        _sending = null;
        var early = (await pipes.Input.Reader.ReadAsync(CancellationToken.None)).Buffer.ToArray();
        pipes.Input.Reader.Complete();
        pipes.Output.Reader.Complete();
        pipes.Output.Writer.Complete();
        Transport = ConnectionPipes.Ended;
        if (_isClosed)
        {
            reader.OnClosed();
        }

        return early;
    }

    public void OnReady(byte[] buffer)
    {
        if (_reader is { } reader)
        {
            reader.OnConnectionReady(buffer);
            return;
        }

        lock (_gate)
        {
            if (_reader is not null || _isClosed)
            {
                return;
            }

            if (_writable is { } writable)
            {
                _writable = null;
                Watch(_isReading);
                writable.SetResult();
            }
            if (_isReading)
            {
                Receive(_pipes!.Input.Writer, buffer);
            }
        }
    }

    /// <summary>The server itself has deadlines for what speaks HTTP.</summary>
    public void OnSweep()
    {
    }

    public void Fail(Exception fault) => Abort(new ConnectionAbortedException(fault.Message, fault));

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override void Abort(ConnectionAbortedException abortReason)
    {
        Close(abortReason);
        _pipes?.Output.Reader.CancelPendingRead();
    }

    /// <summary>
    /// The server has ended. The socket is closed when what was flushed is on its way. A socket that was taken stays open, and of what the
    /// server keeps for a connection nothing is left.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        if (_reader is not null)
        {
            (_features, Items) = (Left, null!);
            return;
        }
        if (_pipes is { } pipes)
        {
            pipes.Server.Input.Complete();
            pipes.Server.Output.Complete();
            await _sending!;
        }

        Close();
    }

    /// <summary>For whoever has taken the connection: closes the socket.</summary>
    public void Close() => Close(null);

    private void Receive(PipeWriter input, byte[] buffer)
    {
        var received = Epoll.Receive(Socket.SafeHandle, buffer, out var isBroken);
        if (received > 0)
        {
            input.Write(buffer.AsSpan(0, received));
            var flush = input.FlushAsync(CancellationToken.None);
            if (flush.IsCompletedSuccessfully)
            {
                Watch(!flush.Result.IsCompleted);
                return;
            }

            Watch(isReading: false);
            _ = ResumeAsync(flush);
        }
        else if (received == 0 || isBroken)
        {
            Watch(isReading: false);
            input.Complete(isBroken ? new ConnectionResetException("The client has gone.") : null);
            FireClosed();
        }
    }

    /// <summary>Reads on when the server has used what it has.</summary>
    private async Task ResumeAsync(ValueTask<FlushResult> flush)
    {
        var isOver = (await flush).IsCompleted;
        lock (_gate)
        {
            if (!isOver && _reader is null)
            {
                Watch(isReading: true);
            }
        }
    }

    private async Task SendAsync(ConnectionPipes pipes)
    {
        Exception? fault = null;
        try
        {
            while (true)
            {
                var read = await pipes.Output.Reader.ReadAsync(CancellationToken.None);
                foreach (var part in read.Buffer)
                {
                    await SendAsync(part);
                }

                pipes.Output.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCanceled || read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (SocketException e)
        {
            fault = new ConnectionResetException(e.Message, e);
        }

        if (_reader is null)
        {
            Close(fault);
            pipes.Output.Reader.Complete(fault);
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            var sent = Epoll.Send(Socket.SafeHandle, bytes.Span);
            if (sent < 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            bytes = bytes[sent..];
            if (bytes.IsEmpty)
            {
                return;
            }

            Task writable;
            lock (_gate)
            {
                _writable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                writable = _writable.Task;
                Watch(_isReading);
            }
            await writable;
        }
    }

    private void Watch(bool isReading)
    {
        _isReading = isReading;
        if (!_isClosed)
        {
            var wanted = (isReading ? Readiness.Readable : Readiness.None) | (_writable is null ? Readiness.None : Readiness.Writable);
            _interest.Set(Loop.Epoll, Socket.SafeHandle, wanted, Id);
        }
    }

    private void Close(Exception? fault)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            // Between the shutdown and the closing it would be reported again and again.
            _interest.Set(Loop.Epoll, Socket.SafeHandle, Readiness.None, Id);
            Loop.Remove(this);
            try
            {
                Socket.Shutdown(SocketShutdown.Both);
            }
            catch (SocketException)
            {
                // The client has closed already.
            }

            Socket.Dispose();
            _writable?.TrySetResult();
            _pipes?.Input.Writer.Complete(fault);
        }

        FireClosed();
        _reader?.OnClosed();
    }

    /// <summary>Not on this thread: what others have registered may take its time.</summary>
    private void FireClosed()
    {
        if (!Interlocked.Exchange(ref _hasFired, true))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
        }
    }
}
