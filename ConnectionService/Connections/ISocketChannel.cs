using AspireChat.ConnectionService.Outbound;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Connections;

/// <summary>One accepted WebSocket: messages in, frames out. Reading is for one caller at a time.</summary>
internal interface ISocketChannel : IDisposable
{
    OutboundQueue Outbound { get; }

    /// <summary>
    /// The client has closed its end, although what it sent before may not have been read yet. False where it cannot be told.
    /// </summary>
    bool IsClientGone { get; }

    /// <summary>Bytes of the message that was read, also of one that was skipped. Valid until the next read.</summary>
    long MessageBytes { get; }

    /// <summary>The text of the message read last, valid until the next read.</summary>
    ReadOnlySpan<byte> Text { get; }

    /// <summary>
    /// Reads the next message. A ping is answered, and the close that a fault means is queued, when this returns. The end of the connection
    /// without a close frame is an exception, and so is a client's fault where the framework reads.
    /// </summary>
    ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Call it when the outbound queue is closed: skips everything until the client has closed too, because the end of a TCP connection
    /// with unread bytes in it destroys what is still under way to the client. The outbound queue cuts the connection when that takes too long.
    /// </summary>
    Task DiscardAsync(CancellationToken cancellationToken);
}
