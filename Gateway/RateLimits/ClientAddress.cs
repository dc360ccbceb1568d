using System.Net;
using System.Net.Sockets;

namespace AspireChat.Gateway.RateLimits;

/// <summary>What counts as one address in a limit.</summary>
internal static class ClientAddress
{
    /// <summary>The client's, or that of the known proxy that did not tell it.</summary>
    public static string Of(HttpContext context) => Of(context.Connection.RemoteIpAddress);

    public static string Of(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address.ToString();
        }
        // One subscriber gets a whole /64 and could take a new address for every request.
        var network = address.GetAddressBytes().AsSpan(0, 8);
        return new IPAddress([.. network, 0, 0, 0, 0, 0, 0, 0, 0]).ToString();
    }
}
