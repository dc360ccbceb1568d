using System.Net;
using System.Net.Sockets;

namespace AspireChat.LocalHost.Running;

/// <summary>Finds ports that a server can listen on.</summary>
internal static class Ports
{
    // Below the range that Linux takes the ports of outgoing connections from (32768 up): a crashed process must find its port free again.
    private const int First = 15_000;
    private const int Last = 32_000;

    public static int Free(ISet<int> taken)
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            if (!taken.Contains(port) && IsFree(port))
            {
                taken.Add(port);
                return port;
            }
        }
    }

    /// <summary>True if no one listens on the port on the loopback addresses or on all.</summary>
    public static bool IsFree(int port) =>
        CanListen(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanListen(IPAddress.IPv6Loopback, port));

    private static bool CanListen(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
        {
            return true; // A machine without IPv6 on its loopback interface.
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
