using System.Buffers.Binary;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// The header of a WebSocket frame (RFC 6455 §5.2): <c>FIN RSV1-3 opcode | MASK length7 | length16 or length64 | masking key</c>. Writes
/// those of a server (whole, not masked), reads those of a client (masked).
/// </summary>
internal static class FrameHeader
{
    public const byte Continuation = 0x0;
    public const byte Text = 0x1;
    public const byte Binary = 0x2;
    public const byte Close = 0x8;
    public const byte Ping = 0x9;
    public const byte Pong = 0xA;

    public const byte Final = 0x80;
    public const byte Reserved = 0x70;
    public const byte OpcodeBits = 0x0F;
    public const byte Masked = 0x80;
    public const byte LengthBits = 0x7F;

    /// <summary>Longest payload of a control frame.</summary>
    public const int MostControl = 125;

    /// <summary>Bytes of the longest header of a server.</summary>
    public const int Longest = 10;

    private const byte Length16 = 126;
    private const byte Length64 = 127;

    /// <summary>Writes a final frame's header; returns its bytes, 2 to 10.</summary>
    public static int Write(Span<byte> to, byte opcode, int length)
    {
        to[0] = (byte)(Final | opcode);
        if (length < Length16)
        {
            to[1] = (byte)length;
            return 2;
        }
        if (length <= ushort.MaxValue)
        {
            to[1] = Length16;
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)length);
            return 4;
        }
        to[1] = Length64;
        BinaryPrimitives.WriteUInt64BigEndian(to[2..], (ulong)length);
        return 10;
    }

    /// <summary>Bytes of the header that a server's frame begins with.</summary>
    public static int LengthIn(ReadOnlySpan<byte> frame) => 2 + ExtendedLength(frame[1]);

    /// <summary>Bytes of length that follow the second byte.</summary>
    public static int ExtendedLength(byte second) => (second & LengthBits) switch
    {
        Length16 => 2,
        Length64 => 8,
        _ => 0,
    };

    /// <summary>The payload's length in a header that is there completely; negative: the forbidden top bit is set.</summary>
    public static long PayloadLength(ReadOnlySpan<byte> header) => (header[1] & LengthBits) switch
    {
        Length16 => BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
        Length64 => BinaryPrimitives.ReadInt64BigEndian(header[2..]),
        var length => length,
    };
}
