using System.Buffers.Binary;
using System.Text;

namespace AspireChat.Tests.WebSockets;

/// <summary>
/// A client's frames as bytes, correct and wrong ones. They are written without the library, so that a fault of the library shows.
/// </summary>
internal static class ClientFrames
{
    public const int Continuation = 0x0;
    public const int TextOpcode = 0x1;
    public const int BinaryOpcode = 0x2;
    public const int CloseOpcode = 0x8;
    public const int PingOpcode = 0x9;
    public const int PongOpcode = 0xA;

    /// <summary>A frame with the shortest form of the length.</summary>
    public const int Shortest = 0;

    private static readonly byte[] OrdinaryMask = [0x37, 0xFA, 0x21, 0x3D];

    /// <param name="lengthBytes">2 or 8 writes the length in that many bytes even if fewer would do.</param>
    /// <param name="mask">Null for the usual mask, empty for none.</param>
    public static byte[] Frame(int opcode, byte[] payload, bool final = true, int reserved = 0, int lengthBytes = Shortest,
        byte[]? mask = null)
    {
        mask ??= OrdinaryMask;
        if (lengthBytes == Shortest)
        {
            lengthBytes = payload.Length < 126 ? 1 : payload.Length <= ushort.MaxValue ? 2 : 8;
        }

        List<byte> bytes = [(byte)((final ? 0x80 : 0) | reserved << 4 | opcode)];
        var masked = mask.Length > 0 ? 0x80 : 0;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
        bytes.Add((byte)(masked | (lengthBytes == 1 ? payload.Length : lengthBytes == 2 ? 126 : 127)));
        if (lengthBytes > 1)
        {
            bytes.AddRange(length[^lengthBytes..]);
        }

        bytes.AddRange(mask);
        bytes.AddRange(payload.Select((value, i) => mask.Length > 0 ? (byte)(value ^ mask[i & 3]) : value));
        return [.. bytes];
    }

    public static byte[] Text(string text, bool final = true) => Frame(TextOpcode, Encoding.UTF8.GetBytes(text), final);

    public static byte[] Text(byte[] text, bool final = true) => Frame(TextOpcode, text, final);

    public static byte[] More(byte[] text, bool final = true) => Frame(Continuation, text, final);

    public static byte[] Ping(params byte[] payload) => Frame(PingOpcode, payload);

    public static byte[] Pong(params byte[] payload) => Frame(PongOpcode, payload);

    public static byte[] Close(int code, string reason = "") => Frame(CloseOpcode, [(byte)(code >> 8), (byte)code,
        .. Encoding.UTF8.GetBytes(reason)]);

    /// <summary>A message that is answered by <c>pong</c> with the ref. It has the given number of bytes, if any.</summary>
    public static byte[] Message(string reference, int bytes = 0)
    {
        var text = $$"""{"type":"ping","ref":"{{reference}}","pad":"" }""";
        return Encoding.UTF8.GetBytes(text.Insert(text.Length - 3, new string('x', Math.Max(0, bytes - text.Length))));
    }

    /// <summary>Such a message with arbitrary bytes in a text that is ignored.</summary>
    public static byte[] MessageWith(string reference, byte[] inside) =>
        [.. Encoding.UTF8.GetBytes($$"""{"type":"ping","ref":"{{reference}}","pad":" """), .. inside, .. "\"}"u8];

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    public static byte[][] Each(byte[] bytes) => [.. bytes.Select(value => new[] { value })];
}
