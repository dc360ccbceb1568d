using System.Buffers;
using System.Net.WebSockets;
using AspireChat.ConnectionService.Outbound;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// A WebSocket of the framework's. Memory is held only while a message comes in: waiting costs a zero-byte receive. The framework answers
/// pings, and closes by itself when the client breaks the protocol.
/// </summary>
/// <param name="longest">Bytes of the longest message that is kept.</param>
/// <param name="farTooLong">A message of more bytes than this is not even skipped.</param>
internal sealed class FrameworkChannel(WebSocket socket, OutboundQueue outbound, int longest, long farTooLong) : ISocketChannel
{
    private const int FirstBuffer = 4 * 1024;

    private byte[]? _buffer;
    private int _length;

    public OutboundQueue Outbound { get; } = outbound;

    public bool IsClientGone => false;

    public long MessageBytes { get; private set; }

    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <exception cref="WebSocketException">The client is gone, or broke the protocol: the framework has closed then.</exception>
    public async ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken)
    {
        Return();
        var received = await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        long total = 0;
        MessageBytes = 0;
        while (true)
        {
            switch (received.MessageType)
            {
                case WebSocketMessageType.Close:
                    return MessageKind.Close;
                case WebSocketMessageType.Binary:
                    return MessageKind.Binary;
            }
            MessageBytes = total += received.Count;
            if (total > farTooLong)
            {
                return MessageKind.FarTooLarge;
            }
            _length = (int)Math.Min(total, longest + 1L);
            if (received.EndOfMessage)
            {
                return total > longest ? MessageKind.TooLarge : MessageKind.Text;
            }
            if (total <= longest)
            {
                EnsureSpace();
            }
            // Past the limit the rest is only to be skipped: it overwrites what came before.
            var free = total > longest ? _buffer.AsMemory() : _buffer.AsMemory(_length);
            received = await socket.ReceiveAsync(free, cancellationToken);
        }
    }

    public async Task DiscardAsync(CancellationToken cancellationToken)
    {
        var scratch = new byte[1024];
        while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
        {
            var received = await socket.ReceiveAsync(scratch.AsMemory(), cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                break;
            }
        }
        await Outbound.Closed;
    }

    public void Dispose() => Return();

    private void EnsureSpace()
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(Math.Min(FirstBuffer, longest + 1));
        if (_length < _buffer.Length)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(_buffer.Length * 2, Math.Max(longest + 1, _buffer.Length + 1)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void Return()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        _buffer = null;
        _length = 0;
    }
}
