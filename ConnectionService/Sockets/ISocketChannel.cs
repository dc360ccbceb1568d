namespace AspireChat.ConnectionService.Sockets;

/// <summary>One accepted WebSocket: messages in, frames out. Reading is for one caller at a time.</summary>
internal interface ISocketChannel : IDisposable
{
    OutboundQueue Outbound { get; }

    /// <summary>The text of the message read last, valid until the next read.</summary>
    ReadOnlySpan<byte> Text { get; }

    /// <summary>Reads the next message. The client's end without a close frame, and its faults where the framework reads, are
    /// exceptions.</summary>
    ValueTask<MessageKind> ReadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Reads on without listening until the client has closed too: closing a TCP connection with unread data in it would destroy what is
    /// still under way to the client. The outbound queue cuts the connection when that takes too long.
    /// </summary>
    Task DiscardAsync(CancellationToken cancellationToken);
}

/// <summary>What a channel has read.</summary>
internal enum MessageKind
{
    /// <summary>A whole text message.</summary>
    Text,

    /// <summary>Longer than a frame may be; it was read away.</summary>
    TooLarge,

    /// <summary>So long that reading it away is not worth it: close.</summary>
    FarTooLarge,

    Binary,

    /// <summary>A ping; it is answered already.</summary>
    Ping,

    /// <summary>The client sent a close frame.</summary>
    Close,

    /// <summary>The client broke the protocol, and the close that this means is queued.</summary>
    Fault,
}
