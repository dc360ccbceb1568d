using System.Buffers;
using System.Net.WebSockets;

namespace AspireChat.Client.Connecting;

/// <summary>
/// One socket. One caller at a time reads; <see cref="Write"/> and <see cref="Abort"/> are thread-safe. Written frames are queued and sent
/// one after another. When the queue holds 1,024 frames, a frame is refused and its owner tries later; a droppable frame is refused at 64.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const string Protocol = "aspirechat.v1";
    private const int QueueLimit = 1_024;
    private const int DroppableLimit = 64;

    /// <summary>
    /// Many times the largest frame that the protocol's limits allow. No server of this protocol sends a larger one.
    /// </summary>
    private const int LargestMessage = 4 << 20;

    private readonly WebSocket _socket;
    private readonly TimeProvider _time;
    private readonly Gate _writes = new();
    private readonly Queue<byte[]> _queue = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);
    private bool _draining;
    private bool _sealed;
    private bool _closing;
    private long _heard;
    private long _messages;

    private Connection(WebSocket socket, TimeProvider time)
    {
        (_socket, _time) = (socket, time);
        _heard = time.GetTimestamp();
    }

    public int? CloseCode { get; private set; }

    public string? CloseReason { get; private set; }

    /// <summary>Why this side ended the connection; null if it did not.</summary>
    public string? AbortReason { get; private set; }

    /// <summary>How many messages have arrived.</summary>
    public long Messages => Volatile.Read(ref _messages);

    /// <summary>How long no message has arrived.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>Opens a socket through the gateway.</summary>
    /// <exception cref="UpgradeException">The server did not upgrade the request to a socket.</exception>
    public static Task<Connection> OpenAsync(ChatClientOptions options, string token, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(new Uri(options.Gateway, "/ws")) { Scheme = options.Gateway.Scheme == "https" ? "wss" : "ws" }.Uri;
        return OpenAsync(options, address, token, cancellationToken);
    }

    /// <summary>Opens a socket at a node itself.</summary>
    /// <exception cref="UpgradeException">The server did not upgrade the request to a socket.</exception>
    public static Task<Connection> OpenAsync(ChatClientOptions options, SocketTicket ticket, CancellationToken cancellationToken) =>
        OpenAsync(options, ticket.Address, null, cancellationToken);

    private static async Task<Connection> OpenAsync(
        ChatClientOptions options, Uri address, string? token, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(Protocol);
            if (OperatingSystem.IsBrowser())
            {
                if (token is not null)
                {
                    socket.Options.AddSubProtocol("bearer." + token);
                }
            }
            else
            {
                if (token is not null)
                {
                    socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
                }

                socket.Options.CollectHttpResponseDetails = true;
                // Silence is watched with the injected clock and the protocol's own ping.
                socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
            }

            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return new Connection(socket, options.TimeProvider);
        }
        catch (WebSocketException e)
        {
            var status = OperatingSystem.IsBrowser() ? 0 : (int)socket.HttpStatusCode;
            var after = socket.HttpResponseHeaders?.FirstOrDefault(
                header => header.Key.Equals("Retry-After", StringComparison.OrdinalIgnoreCase)).Value;
            socket.Dispose();
            TimeSpan? seconds = int.TryParse(after?.FirstOrDefault(), out var parsed) && parsed >= 0 ? TimeSpan.FromSeconds(parsed) : null;
            throw new UpgradeException(status is 0 or 101 ? null : status, seconds, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next text message, which is valid until the next call. Null when the socket has ended.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var (length, type) = await ReceiveAsync(cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _heard, _time.GetTimestamp());
                Volatile.Write(ref _messages, _messages + 1);
                if (type == WebSocketMessageType.Text)
                {
                    return _buffer.AsMemory(0, length);
                }

                if (type == WebSocketMessageType.Close)
                {
                    (CloseCode, CloseReason) = ((int?)_socket.CloseStatus, _socket.CloseStatusDescription);
                    return null;
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            AbortReason ??= e.Message;
            return null;
        }
    }

    /// <summary>Queues a frame. False when the queue is full or the connection is closing.</summary>
    public bool Write(byte[] frame, bool droppable)
    {
        lock (_writes)
        {
            if (_sealed || _closing || _queue.Count >= (droppable ? DroppableLimit : QueueLimit))
            {
                return false;
            }

            _queue.Enqueue(frame);
            if (_draining)
            {
                return true;
            }

            _draining = true;
        }
        // This thread holds the session's gate, so another one sends.
        _ = Task.Run(DrainAsync);
        return true;
    }

    /// <summary>Cuts the socket without a close frame. The pending read returns null.</summary>
    public void Abort(string reason)
    {
        AbortReason ??= reason;
        _socket.Abort();
    }

    /// <summary>
    /// Sends a close frame with 1000 behind the queued frames. The reader sees the server's answer. The caller bounds the wait for it.
    /// </summary>
    public void Close()
    {
        lock (_writes)
        {
            if (_sealed)
            {
                return;
            }

            _closing = true;
            if (_draining)
            {
                return;
            }

            _draining = true;
        }
        _ = Task.Run(DrainAsync);
    }

    public void Dispose()
    {
        lock (_writes)
        {
            _sealed = true;
        }

        _socket.Dispose();
        ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref _buffer, []));
    }

    private async Task<(int Length, WebSocketMessageType Type)> ReceiveAsync(CancellationToken cancellationToken)
    {
        for (var length = 0; ;)
        {
            var part = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            length += part.Count;
            if (part.EndOfMessage)
            {
                return (length, part.MessageType);
            }

            if (length < _buffer.Length)
            {
                continue;
            }

            if (length >= LargestMessage)
            {
                throw new WebSocketException($"The server sent a message of more than {LargestMessage} bytes.");
            }

            var larger = ArrayPool<byte>.Shared.Rent(length * 2);
            _buffer.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref _buffer, larger));
        }
    }

    private async Task DrainAsync()
    {
        try
        {
            while (true)
            {
                byte[]? frame;
                lock (_writes)
                {
                    if (!_queue.TryDequeue(out frame))
                    {
                        _draining = false;
                    }

                    if (_sealed || (frame is null && !_closing))
                    {
                        return;
                    }

                    _sealed = frame is null;
                }
                if (frame is null)
                {
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).ConfigureAwait(false);
                    return;
                }
                await _socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (
            e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            lock (_writes)
            {
                _sealed = true;
            }
            // The reader notices the loss and ends the connection for all.
            Abort(e.Message);
        }
    }
}

/// <summary>The upgrade to a socket failed.</summary>
/// <param name="status">The HTTP status that refused it; null when there was no proper HTTP answer.</param>
internal sealed class UpgradeException(int? status, TimeSpan? retryAfter, Exception inner) : Exception(inner.Message, inner)
{
    public int? Status { get; } = status;

    public TimeSpan? RetryAfter { get; } = retryAfter;
}
