using System.Numerics;
using System.Runtime.InteropServices;

namespace AspireChat.WebSockets;

/// <summary>The frames of a client, whose payload is masked (RFC 6455 §5.3).</summary>
public static class MaskedFrame
{
    /// <summary>A whole message or control frame of a client.</summary>
    /// <param name="key">Four bytes as they stand in memory. 0 leaves the payload as it is, and costs the server the same.</param>
    public static byte[] Encode(byte opcode, ReadOnlySpan<byte> payload, uint key)
    {
        Span<byte> header = stackalloc byte[FrameHeader.MaxLength];
        var length = FrameHeader.Write(header, opcode, payload.Length);
        header[1] |= FrameHeader.Masked;
        MemoryMarshal.Write(header[length..], key);
        byte[] frame = [.. header[..(length + sizeof(uint))], .. payload];
        Apply(frame.AsSpan(length + sizeof(uint)), key);
        return frame;
    }

    /// <summary>Puts the mask on, or takes it off, in place.</summary>
    /// <returns>The key, rotated so that it fits the byte behind these.</returns>
    public static uint Apply(Span<byte> bytes, uint key)
    {
        var wide = key | (ulong)key << 32;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] ^= wide;
        }
        Span<byte> single = stackalloc byte[sizeof(uint)];
        MemoryMarshal.Write(single, key);
        for (var i = words.Length * sizeof(ulong); i < bytes.Length; i++)
        {
            bytes[i] ^= single[i & 3];
        }
        var turn = 8 * (bytes.Length & 3);
        return BitConverter.IsLittleEndian ? BitOperations.RotateRight(key, turn) : BitOperations.RotateLeft(key, turn);
    }
}
