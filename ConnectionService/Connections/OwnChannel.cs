using AspireChat.ConnectionService.Outbound;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Connections;

/// <summary>A WebSocket whose frames this service reads and writes itself, on an event loop's socket.</summary>
internal sealed class OwnChannel : ISocketChannel
{
    private readonly FrameSocket _socket;
    private readonly Heartbeats _heartbeats;
    private int _silentFor;
    private int _untilPing;

    public OwnChannel(FrameSocket socket, OutboundQueue outbound, Heartbeats heartbeats)
    {
        _socket = socket;
        _heartbeats = heartbeats;
        Outbound = outbound;
        // Spread over the interval: connections that came in one storm would otherwise always be pinged in one burst.
        _untilPing = Random.Shared.Next(1, heartbeats.Interval + 1);
        heartbeats.Add(this);
    }

    public OutboundQueue Outbound { get; }

    public bool IsClientGone => _socket.IsClientGone;

    public long MessageBytes => _socket.MessageBytes;

    public ReadOnlySpan<byte> Text => _socket.Text;

    public async ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken)
    {
        var kind = await _socket.ReadAsync();
        switch (kind)
        {
            case MessageKind.Ping:
                Outbound.Pong(_socket.PingPayload);
                break;
            case MessageKind.Fault:
                Outbound.Close(_socket.Fault.Code, _socket.Fault.Reason);
                break;
        }
        return kind;
    }

    public async Task DiscardAsync(CancellationToken cancellationToken)
    {
        await _socket.DiscardAsync();
        await Outbound.Closed;
    }

    /// <summary>A second has passed. Called by <see cref="Heartbeats"/>, one call at a time.</summary>
    public void OnBeat()
    {
        // A client that is made to wait is not silent: nobody listens to it.
        _silentFor = _socket.Heard || !_socket.IsReading ? 0 : _silentFor + 1;
        _socket.Heard = false;
        if (_silentFor >= _heartbeats.Patience)
        {
            _socket.Abort();
        }
        else if (--_untilPing <= 0)
        {
            _untilPing = _heartbeats.Interval;
            Outbound.Ping();
        }
    }

    /// <summary>The socket belongs to whoever gave it.</summary>
    public void Dispose() => _heartbeats.Remove(this);
}
