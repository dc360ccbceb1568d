using System.Net.Sockets;

namespace AspireChat.WebSockets;

/// <summary>What the kernel knows of the other end of a TCP connection. Thread-safe.</summary>
public static class TcpPeer
{
    private const int ProtocolTcp = 6;
    private const int TcpInfo = 11;

    // Of tcp_states.h. In these the other end has closed, or the connection is broken.
    private const byte Close = 7;
    private const byte CloseWait = 8;
    private const byte LastAck = 9;
    private const byte Closing = 11;

    /// <summary>
    /// The other end has closed, although bytes that it sent before may still wait to be read. A reader that is behind learns it by this alone:
    /// the end of the stream comes after those bytes. False where it cannot be told (not Linux).
    /// </summary>
    public static bool IsGone(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }
        try
        {
            Span<byte> info = stackalloc byte[8];
            return socket.GetRawSocketOption(ProtocolTcp, TcpInfo, info) > 0 && info[0] is Close or CloseWait or LastAck or Closing;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }
}
