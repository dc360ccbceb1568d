using System.Net.Sockets;
using AspireChat.ConnectionService.Outbound;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// A WebSocket whose frames this service reads and writes itself: reads from the server's transport, writes to the TCP socket. Nothing
/// else writes there after the upgrade.
/// </summary>
internal sealed class OwnChannel : ISocketChannel
{
    private readonly Socket _socket;
    private readonly FrameReader _reader;
    private readonly Heartbeats _heartbeats;
    private readonly Action _abort;
    private volatile bool _isReading;
    private int _silentFor;
    private int _untilPing;

    /// <param name="abort">Cuts the connection.</param>
    public OwnChannel(Socket socket, FrameReader reader, OutboundQueue outbound, Heartbeats heartbeats, Action abort)
    {
        _socket = socket;
        _reader = reader;
        _heartbeats = heartbeats;
        _abort = abort;
        Outbound = outbound;
        // Spread over the interval: connections that came in one storm would otherwise always be pinged in one burst.
        _untilPing = Random.Shared.Next(1, heartbeats.Interval + 1);
        heartbeats.Add(this);
    }

    public OutboundQueue Outbound { get; }

    public bool IsClientGone => TcpPeer.IsGone(_socket);

    public long MessageBytes => _reader.MessageBytes;

    public ReadOnlySpan<byte> Text => _reader.Text;

    public async ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken)
    {
        _isReading = true;
        var kind = await _reader.ReadAsync();
        _isReading = false;
        switch (kind)
        {
            case MessageKind.Ping:
                Outbound.Pong(_reader.PingPayload);
                break;
            case MessageKind.Fault:
                _reader.Dispose();
                Outbound.Close(_reader.Fault.Code, _reader.Fault.Reason);
                break;
        }
        return kind;
    }

    public async Task DiscardAsync(CancellationToken cancellationToken)
    {
        _isReading = true;
        await _reader.DiscardAsync();
        await Outbound.Closed;
    }

    /// <summary>A second has passed. Called by <see cref="Heartbeats"/>, one call at a time.</summary>
    public void OnBeat()
    {
        // A client that is made to wait is not silent: nobody listens to it.
        _silentFor = _reader.Heard || !_isReading ? 0 : _silentFor + 1;
        _reader.Heard = false;
        if (_silentFor >= _heartbeats.Patience)
        {
            _abort();
        }
        else if (--_untilPing <= 0)
        {
            _untilPing = _heartbeats.Interval;
            Outbound.Ping();
        }
    }

    public void Dispose()
    {
        _heartbeats.Remove(this);
        _reader.Dispose();
    }
}
