using System.Buffers.Binary;

namespace AspireChat.WebSockets;

/// <summary>
/// The header of a WebSocket frame (RFC 6455 §5.2): <c>FIN RSV1-3 opcode | MASK length7 | length16 or length64 | masking key</c>.
/// </summary>
public static class FrameHeader
{
    public const byte Continuation = 0x0;
    public const byte Text = 0x1;
    public const byte Binary = 0x2;

    /// <summary>The first of the control frames: all opcodes from here on are control frames.</summary>
    public const byte Close = 0x8;

    public const byte Ping = 0x9;
    public const byte Pong = 0xA;

    public const byte Final = 0x80;
    public const byte Reserved = 0x70;
    public const byte OpcodeBits = 0x0F;
    public const byte Masked = 0x80;
    public const byte LengthBits = 0x7F;

    /// <summary>Longest payload of a control frame, in bytes (§5.5).</summary>
    public const int MaxControlPayload = 125;

    /// <summary>Longest header, in bytes: two, a length of eight, a masking key of four.</summary>
    public const int MaxLength = 14;

    private const byte Length16 = 126;
    private const byte Length64 = 127;

    /// <summary>Writes the header of a final frame that is not masked, with the shortest form of the length.</summary>
    /// <returns>Bytes of the header: 2, 4 or 10.</returns>
    public static int Write(Span<byte> to, byte opcode, int payload)
    {
        to[0] = (byte)(Final | opcode);
        if (payload < Length16)
        {
            to[1] = (byte)payload;
            return 2;
        }
        if (payload <= ushort.MaxValue)
        {
            to[1] = Length16;
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)payload);
            return 4;
        }
        to[1] = Length64;
        BinaryPrimitives.WriteUInt64BigEndian(to[2..], (ulong)payload);
        return 10;
    }

    /// <summary>Bytes of the header that has this second byte, masking key included.</summary>
    public static int Length(byte second)
    {
        var length = (second & LengthBits) switch { Length16 => 4, Length64 => 10, _ => 2 };
        return (second & Masked) == 0 ? length : length + sizeof(uint);
    }

    /// <summary>The payload's length, read from a complete header. Negative: the top bit is set, which §5.2 forbids.</summary>
    public static long PayloadLength(ReadOnlySpan<byte> header) => (header[1] & LengthBits) switch
    {
        Length16 => BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
        Length64 => BinaryPrimitives.ReadInt64BigEndian(header[2..]),
        var length => length,
    };

    /// <summary>
    /// For a client that reads from a buffer of its own: takes the first frame off <paramref name="data"/>. The payload is the part of
    /// <paramref name="data"/> that it stands in; it is not unmasked, because frames of a server are not masked.
    /// </summary>
    /// <param name="first">The frame's first byte: <see cref="Final"/> and the opcode.</param>
    /// <returns>False: the frame has not arrived completely, and nothing was taken.</returns>
    public static bool TryTakeFrame(ref ReadOnlySpan<byte> data, out byte first, out ReadOnlySpan<byte> payload)
    {
        first = 0;
        payload = default;
        if (data.Length < 2 || data.Length < Length(data[1]))
        {
            return false;
        }
        var header = Length(data[1]);
        var length = PayloadLength(data);
        // Compared without a sign: a forbidden length is one that never arrives.
        if ((ulong)(data.Length - header) < (ulong)length)
        {
            return false;
        }
        first = data[0];
        payload = data.Slice(header, (int)length);
        data = data[(header + (int)length)..];
        return true;
    }
}
