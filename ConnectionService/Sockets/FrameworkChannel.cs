using System.Buffers;
using System.Net.WebSockets;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// A WebSocket of the framework's. Memory is held only while a message is coming in: waiting costs a zero-byte receive. The framework
/// answers pings and closes by itself on a fault of the client.
/// </summary>
internal sealed class FrameworkChannel : ISocketChannel
{
    private const int FirstBuffer = 4 * 1024;

    private readonly WebSocket _socket;
    private readonly int _longest;
    private readonly long _farTooLong;
    private byte[]? _buffer;
    private int _length;

    public FrameworkChannel(WebSocket socket, Action abort, string connection, OutboundDrain drain)
    {
        _socket = socket;
        _longest = drain.Options.FrameBytes;
        _farTooLong = (long)drain.Options.FrameBytes * drain.Options.FarTooLargeFactor;
        Outbound = new OutboundQueue(new FrameworkWriter(socket), drain, abort, connection);
    }

    public OutboundQueue Outbound { get; }

    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <exception cref="WebSocketException">The client is gone, or broke the protocol: the framework has closed then.</exception>
    public async ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken)
    {
        Return();
        var received = await _socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        long total = 0;
        while (true)
        {
            switch (received.MessageType)
            {
                case WebSocketMessageType.Close:
                    return MessageKind.Close;
                case WebSocketMessageType.Binary:
                    return MessageKind.Binary;
            }
            total += received.Count;
            if (total > _farTooLong)
                return MessageKind.FarTooLarge;
            _length = (int)Math.Min(total, _longest + 1L);
            if (received.EndOfMessage)
                return total > _longest ? MessageKind.TooLarge : MessageKind.Text;
            if (total <= _longest)
                EnsureRoom();
            // Past the limit the same last bytes are overwritten: the rest only has to be got out of the way.
            var free = total > _longest ? _buffer.AsMemory() : _buffer.AsMemory(_length);
            received = await _socket.ReceiveAsync(free, cancellationToken);
        }
    }

    public async Task DiscardAsync(CancellationToken cancellationToken)
    {
        var scratch = new byte[1024];
        while (_socket.State is WebSocketState.Open or WebSocketState.CloseSent)
        {
            var received = await _socket.ReceiveAsync(scratch.AsMemory(), cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close)
                break;
        }
        await Outbound.Closed;
    }

    public void Dispose() => Return();

    private void EnsureRoom()
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(Math.Min(FirstBuffer, _longest + 1));
        if (_length < _buffer.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(_buffer.Length * 2, Math.Max(_longest + 1, _buffer.Length + 1)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void Return()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _length = 0;
    }
}
