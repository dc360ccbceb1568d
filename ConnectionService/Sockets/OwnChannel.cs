using System.IO.Pipelines;
using System.Net.Sockets;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// A WebSocket whose frames this service reads and writes itself: reads from the server's transport, writes to the TCP socket. Nothing
/// else writes there after the upgrade.
/// </summary>
internal sealed class OwnChannel : ISocketChannel
{
    private readonly FrameReader _reader;
    private readonly Heartbeats _heartbeats;
    private readonly Action _abort;
    private int _silentFor;
    private int _untilPing;
    private bool _closed;

    public OwnChannel(PipeReader input, Socket socket, Action abort, string connection, OutboundDrain drain, Heartbeats heartbeats)
    {
        var options = drain.Options;
        _reader = new FrameReader(input, options.FrameBytes, (long)options.FrameBytes * options.FarTooLargeFactor);
        _heartbeats = heartbeats;
        _abort = abort;
        // Not all pings of a storm of reconnects at once, for ever after.
        _untilPing = Random.Shared.Next(1, heartbeats.Interval + 1);
        Outbound = new OutboundQueue(new SharedFrameWriter(socket), drain, abort, connection);
        heartbeats.Add(this);
    }

    public OutboundQueue Outbound { get; }

    public ReadOnlySpan<byte> Text => _reader.Text;

    public async ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken)
    {
        var kind = await _reader.ReadAsync();
        switch (kind)
        {
            case MessageKind.Ping:
                Outbound.Pong(_reader.PingPayload);
                break;
            case MessageKind.Close:
                _closed = true;
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
        _reader.Discard();
        while (!_closed)
        {
            // Behind a fault nothing can be understood, not even a close.
            if (await ReadAsync(cancellationToken) == MessageKind.Fault)
            {
                await _reader.SkipAsync();
                break;
            }
        }
        await Outbound.Closed;
    }

    /// <summary>A second has passed. Called by <see cref="Heartbeats"/>, never at the same time twice.</summary>
    public void OnBeat()
    {
        _silentFor = _reader.Heard ? 0 : _silentFor + 1;
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
