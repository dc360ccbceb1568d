using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.WebSockets;

/// <summary>The opening handshake of both sides (RFC 6455 §4), and how a server leaves HTTP by it with the transport in hand.</summary>
public static class Handshake
{
    private const string Protocol = "websocket";

    private static readonly byte[] KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8.ToArray();

    /// <summary>The request is a WebSocket handshake, by HTTP/1.1's upgrade or by HTTP/2's extended CONNECT (RFC 8441).</summary>
    public static bool IsRequested(HttpContext context)
    {
        var connect = context.Features.Get<IHttpExtendedConnectFeature>();
        var protocol = connect is { IsExtendedConnect: true } ? connect.Protocol
            : context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } ? context.Request.Headers.Upgrade.ToString()
            : null;
        return string.Equals(protocol, Protocol, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// The connection belongs to an event loop, and after the upgrade the bytes on its socket would be the WebSocket's alone. Not under TLS, where the socket carries something
    /// else, and not with HTTP/2, where it carries other requests too.
    /// </summary>
    public static bool CanTakeSocket(HttpContext context)
    {
        var features = context.Features;
        return features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            && features.Get<IConnectionHandover>() is not null
            && features.Get<LoopConnection>() is not null
            && features.Get<ITlsHandshakeFeature>() is null;
    }

    /// <summary>
    /// Accepts the handshake and takes the connection over. What the session writes to the socket goes out behind the answer.
    /// </summary>
    /// <param name="context">A request that is a WebSocket handshake.</param>
    /// <param name="protocol">The subprotocol to answer with, if any.</param>
    /// <param name="frames">Reads the client's frames.</param>
    /// <param name="session">
    /// Has the socket from the end of the request on, and the socket is closed when it returns. It must not hold the request. The server does
    /// not wait for it when it stops.
    /// </param>
    /// <returns>False when <see cref="CanTakeSocket"/> is; nothing has happened to the connection then.</returns>
    public static async Task<bool> TryAcceptAsync(HttpContext context, string? protocol, FrameReader frames, Func<FrameSocket, Task> session)
    {
        if (!CanTakeSocket(context))
        {
            return false;
        }
        var headers = context.Response.Headers;
        headers.Upgrade = Protocol;
        headers.SecWebSocketAccept = AcceptOf(context.Request.Headers.SecWebSocketKey.ToString());
        if (protocol is not null)
        {
            headers.SecWebSocketProtocol = protocol;
        }
        await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        var handovers = context.RequestServices.GetRequiredService<HandoverCount>();
        var successor = Successor(context.Features.GetRequiredFeature<LoopConnection>(), frames, session, handovers);
        context.Features.GetRequiredFeature<IConnectionHandover>().HandTo(successor, outlives: true);
        return true;
    }

    /// <summary>A method of its own, so that it captures nothing of the request, which would live as long as the socket.</summary>
    private static Func<ConnectionContext, Task> Successor(
        LoopConnection connection, FrameReader frames, Func<FrameSocket, Task> session, HandoverCount handovers) => async left =>
    {
        var socket = await FrameSocket.TakeAsync(connection, frames);
        // Not awaited: the server forgets the connection that it has left when this returns.
        _ = RunAsync(socket, session, handovers);
    };

    private static async Task RunAsync(FrameSocket socket, Func<FrameSocket, Task> session, HandoverCount handovers)
    {
        using (socket)
        {
            await session(socket);
        }
        handovers.Changed();
    }

    /// <summary>What a server must answer to a client's key in <c>Sec-WebSocket-Accept</c>.</summary>
    public static string AcceptOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        // Not for security: RFC 6455 asks for it as a proof that the server has understood.
        SHA1.HashData([.. Encoding.ASCII.GetBytes(key), .. KeySuffix], hash);
        return Convert.ToBase64String(hash);
    }

    /// <summary>A client's handshake, ready to be sent.</summary>
    /// <param name="key">Sixteen bytes in Base64. A client that does not check the answer may always send the same.</param>
    /// <param name="headers">Further headers, each ended by CR LF.</param>
    public static byte[] Request(string target, string host, string key, string headers) => Encoding.ASCII.GetBytes(
        $"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: {Protocol}\r\n"
        + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}\r\n");
}
