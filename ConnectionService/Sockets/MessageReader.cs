using System.Buffers;
using System.Net.WebSockets;

namespace AspireChat.ConnectionService.Sockets;

internal enum MessageKind
{
    /// <summary>A whole text message.</summary>
    Text,

    /// <summary>Longer than a frame may be; it was read away.</summary>
    TooLarge,

    /// <summary>So long that reading it away is not worth it: close.</summary>
    FarTooLarge,

    Binary,

    /// <summary>The client sent a close frame.</summary>
    Close,
}

/// <summary>
/// Reads a socket message by message. Memory is held only while a message is coming in: waiting costs a zero-byte receive. Not thread-safe.
/// </summary>
internal sealed class MessageReader(WebSocket socket, int longest, long farTooLong) : IDisposable
{
    private const int FirstBuffer = 4 * 1024;

    private byte[]? _buffer;
    private int _length;

    /// <summary>The text, valid until the next read.</summary>
    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <exception cref="WebSocketException">The client is gone, or broke the protocol (bad UTF-8 included: the framework has closed with
    /// 1007).</exception>
    public async ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken)
    {
        Return();
        var received = await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
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
            if (total > farTooLong)
                return MessageKind.FarTooLarge;
            _length = (int)Math.Min(total, longest + 1L);
            if (received.EndOfMessage)
                return total > longest ? MessageKind.TooLarge : MessageKind.Text;
            if (total <= longest)
                EnsureRoom();
            // Past the limit the same last bytes are overwritten: the rest only has to be got out of the way.
            var free = total > longest ? _buffer.AsMemory() : _buffer.AsMemory(_length);
            received = await socket.ReceiveAsync(free, cancellationToken);
        }
    }

    public void Dispose() => Return();

    private void EnsureRoom()
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(Math.Min(FirstBuffer, longest + 1));
        if (_length < _buffer.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(_buffer.Length * 2, Math.Max(longest + 1, _buffer.Length + 1)));
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
