using System.Buffers.Binary;
using System.Text;
using AspireChat.Contracts.Frames;

namespace AspireChat.Gateway.Sockets;

/// <summary>The last frames to a client that is sent away, as a draining node says it: <c>reconnect</c>, close 1012.</summary>
internal static class Farewell
{
    private const byte FinalText = 0x81;
    private const byte FinalClose = 0x88;

    /// <param name="after">When the client is asked to come back, in milliseconds.</param>
    public static byte[] Frames(int after)
    {
        var reconnect = ServerFrameCodec.Encode(new ReconnectFrame(after));
        var reason = Encoding.UTF8.GetBytes("restart: reconnect");
        // Both are shorter than the 126 bytes up to which a length is one byte; a server's frames are not masked.
        var close = new byte[2 + reason.Length];
        BinaryPrimitives.WriteUInt16BigEndian(close, CloseCodes.Restart);
        reason.CopyTo(close.AsSpan(2));
        return [FinalText, (byte)reconnect.Length, .. reconnect, FinalClose, (byte)close.Length, .. close];
    }
}
