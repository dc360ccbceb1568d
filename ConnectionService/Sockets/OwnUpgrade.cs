using System.Security.Cryptography;
using System.Text;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// The WebSocket handshake (RFC 6455 §4.2.2) that ends with the transport itself in hand. Only on a plain TCP connection: under TLS the
/// socket carries something else, and with HTTP/2 more than this request.
/// </summary>
internal static class OwnUpgrade
{
    private static readonly byte[] KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8.ToArray();

    /// <summary>False when this connection is not one to take over; nothing has happened to it then.</summary>
    /// <param name="context">A request that is a WebSocket handshake.</param>
    /// <param name="session">What the connection is for, from the end of the request on; it must not hold the request.</param>
    public static async Task<bool> TryAcceptAsync(HttpContext context, string? protocol, Func<ConnectionContext, Task> session)
    {
        var features = context.Features;
        if (features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade
            || features.Get<IConnectionHandover>() is not { } handover
            || features.Get<IConnectionSocketFeature>() is null
            || features.Get<ITlsHandshakeFeature>() is not null)
            return false;
        var headers = context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = AcceptOf(context.Request.Headers.SecWebSocketKey.ToString());
        if (protocol is not null)
            headers.SecWebSocketProtocol = protocol;
        // Returns when the answer has left for the kernel (see AddSockets): what is written from now on comes behind it.
        await upgrade.UpgradeAsync();
        handover.HandTo(session);
        return true;
    }

    private static string AcceptOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        // Not for security: RFC 6455 demands it as a proof that the server has understood.
        SHA1.HashData([.. Encoding.ASCII.GetBytes(key), .. KeySuffix], hash);
        return Convert.ToBase64String(hash);
    }
}
