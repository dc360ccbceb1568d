namespace AspireChat.WebSockets;

/// <summary>
/// A whole frame of a server as it goes over the wire: header and payload in one array. Frames of a server are not masked (RFC 6455 §5.1),
/// so all connections that get the message share the very bytes, header included. Immutable; safe for concurrent use.
/// </summary>
public readonly struct OutboundFrame
{
    private readonly byte[] _bytes;

    private OutboundFrame(byte opcode, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[FrameHeader.MaxLength];
        var length = FrameHeader.Write(header, opcode, payload.Length);
        _bytes = GC.AllocateUninitializedArray<byte>(length + payload.Length);
        header[..length].CopyTo(_bytes);
        payload.CopyTo(_bytes.AsSpan(length));
    }

    /// <summary>Header and payload.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Of header and payload, in bytes.</summary>
    public int Length => _bytes.Length;

    public ReadOnlyMemory<byte> Payload => _bytes.AsMemory(FrameHeader.Length(_bytes[1]));

    /// <summary>A whole text message.</summary>
    /// <param name="text">Valid UTF-8.</param>
    public static OutboundFrame Of(ReadOnlySpan<byte> text) => new(FrameHeader.Text, text);

    /// <summary>A control frame: close, ping or pong.</summary>
    /// <param name="payload">At most <see cref="FrameHeader.MaxControlPayload"/> bytes.</param>
    public static OutboundFrame Control(byte opcode, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, FrameHeader.MaxControlPayload, nameof(payload));
        return new(opcode, payload);
    }
}
