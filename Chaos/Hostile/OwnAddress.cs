using System.Net;
using System.Net.Sockets;

namespace AspireChat.Chaos.Hostile;

/// <summary>
/// Connects from a loopback address of its own. The gateway limits each address, and bystanders do not share the attackers'. Thread-safe.
/// </summary>
internal static class OwnAddress
{
    // Linux answers for all of 127.0.0.0/8.
    private static readonly IPAddress Address = OperatingSystem.IsLinux() ? IPAddress.Parse("127.0.0.2") : IPAddress.Loopback;

    public static SocketsHttpHandler Handler() => new()
    {
        ConnectCallback = static async (context, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Bind(new IPEndPoint(Address, 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };
}
