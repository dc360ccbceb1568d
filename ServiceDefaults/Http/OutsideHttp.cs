using System.Net;
using System.Net.Sockets;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Calls to servers that are no part of the system, at addresses that an operator has set. Nothing follows a redirect, no cookie is kept, no
/// trace header goes out, and an answer is read as far as a bound. There is no proxy: it would connect to the address in the system's stead.
/// </summary>
public static class OutsideHttp
{
    /// <summary>Bytes of an answer that are read away so that its connection can be used again; a longer one costs the connection.</summary>
    private const int DrainBytes = 64 * 1_024;

    /// <param name="connections">Most connections to the server, hence most calls under way.</param>
    /// <param name="allowPrivate">
    /// False: only public addresses (<see cref="PublicAddresses"/>). It is the address that is connected to that counts, so a name that
    /// resolves to another one later gains nothing.
    /// </param>
    public static HttpClient Create(int connections, bool allowPrivate, TimeSpan connectTimeout) => new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = null,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, allowPrivate, cancellationToken),
        ConnectTimeout = connectTimeout,
        Credentials = null,
        MaxConnectionsPerServer = connections,
        MaxResponseDrainSize = DrainBytes,
        MaxResponseHeadersLength = 16,
        // Connections must be renewed to follow changed addresses.
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        UseCookies = false,
        UseProxy = false,
    })
    {
        // The caller has a limit of its own for the whole call.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool allowPrivate, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        if (!allowPrivate)
        {
            addresses = [.. addresses.Where(PublicAddresses.IsPublic)];
            if (addresses.Length == 0)
            {
                throw new PrivateAddressException();
            }
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>The server has no public address, and others are not allowed.</summary>
public sealed class PrivateAddressException() : IOException("the address is private, loopback or link-local");
