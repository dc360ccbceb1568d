using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace AspireChat.Servers;

/// <summary>Ports that a server can listen on. Thread-safe.</summary>
public static class Ports
{
    // Linux takes the ports of outgoing connections from 32768 up: below it, a server that restarts finds its port free again.
    private const int First = 15_000;
    private const int Last = 32_000;

    // A server that is away for a moment keeps its port.
    private static readonly ConcurrentDictionary<int, bool> Given = [];

    /// <summary>A port on which nothing listens now, and that this process was not given before.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            if (IsFree(port) && Given.TryAdd(port, true))
            {
                return port;
            }
        }
    }

    /// <summary>True if nothing listens on the port, neither on the loopback addresses nor on all.</summary>
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
