using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace AspireChat.WebSockets;

/// <summary>The status codes that RFC 6455 itself gives a close frame (§7.4.1). Applications have 4000 to 4999 for their own.</summary>
public static class CloseStatus
{
    public const int Normal = 1000;
    public const int ProtocolError = 1002;

    /// <summary>A kind of message that the receiver does not take, such as a binary one.</summary>
    public const int UnsupportedData = 1003;

    /// <summary>Never on the wire: what a receiver reports for a close frame without a code.</summary>
    public const int None = 1005;

    /// <summary>Text that is not UTF-8.</summary>
    public const int InvalidPayload = 1007;

    public const int MessageTooBig = 1009;
    public const int InternalError = 1011;
}

/// <summary>The close frame's payload (RFC 6455 §5.5.1): nothing, or a code of two bytes and a reason in UTF-8.</summary>
public static class CloseFrame
{
    private const int CodeBytes = sizeof(ushort);

    /// <summary>A server's close frame.</summary>
    /// <param name="reason">At most 123 bytes of UTF-8.</param>
    public static OutboundFrame Encode(int code, string reason)
    {
        var payload = new byte[CodeBytes + Encoding.UTF8.GetByteCount(reason)];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        Encoding.UTF8.GetBytes(reason, payload.AsSpan(CodeBytes));
        return OutboundFrame.Control(FrameHeader.Close, payload);
    }

    /// <summary>The code; <see cref="CloseStatus.None"/> when the frame has none.</summary>
    public static int CodeOf(ReadOnlySpan<byte> payload) =>
        payload.Length < CodeBytes ? CloseStatus.None : BinaryPrimitives.ReadUInt16BigEndian(payload);

    /// <summary>What is wrong with the payload: 0 when nothing is, else the code to close with.</summary>
    public static int FaultOf(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
        {
            return 0;
        }
        // 1004 to 1006 and 1015 are never sent. Below 3000 only the codes of IANA's registry exist.
        if (payload.Length < CodeBytes
            || CodeOf(payload) is not (>= 1000 and <= 1003 or >= 1007 and <= 1014 or >= 3000 and <= 4999))
        {
            return CloseStatus.ProtocolError;
        }
        return Utf8.IsValid(payload[CodeBytes..]) ? 0 : CloseStatus.InvalidPayload;
    }
}
