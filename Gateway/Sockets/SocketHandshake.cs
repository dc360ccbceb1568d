using AspireChat.Gateway.Routing;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// What must hold before a socket is forwarded, besides a good token: it is a GET (else 405) and a WebSocket handshake of HTTP/1.1 or
/// later (426), of the one version (426) with one well-formed key (400), and a browser's page comes from an allowed origin (403). Replicas check most of this too; a
/// bad handshake that stops here costs them nothing.
/// </summary>
internal sealed class SocketHandshake(RequestDelegate next, IOptions<GatewayOptions> options)
{
    private const string Version = "13";
    private const int KeyBytes = 16;

    private readonly PageOrigins _origins = new(options.Value.AllowedOrigins);

    public Task InvokeAsync(HttpContext context)
    {
        if (!context.GetReverseProxyFeature().IsSocket())
        {
            return next(context);
        }
        var isConnect = context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
        if (!isConnect && !HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            return context.WriteProblemAsync(StatusCodes.Status405MethodNotAllowed, "A socket is opened by GET.", "method_not_allowed");
        }
        if (!Handshake.IsRequested(context) || HttpProtocol.IsHttp10(context.Request.Protocol))
        {
            return UpgradeRequired(context, "This address speaks WebSocket over HTTP/1.1 or later only.");
        }
        if (context.Request.Headers.SecWebSocketVersion is not [Version])
        {
            context.Response.Headers.SecWebSocketVersion = Version;
            return UpgradeRequired(context, $"Sec-WebSocket-Version must be {Version}.");
        }
        // Over HTTP/2 there is no key.
        if (!isConnect && !IsKey(context.Request.Headers.SecWebSocketKey))
        {
            return context.WriteProblemAsync(
                StatusCodes.Status400BadRequest, $"Sec-WebSocket-Key must be {KeyBytes} bytes in Base64, once.", "bad_request");
        }
        return _origins.Allow(PageOrigins.Of(context.Request), context.Request.Host)
            ? next(context)
            : context.WriteProblemAsync(StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden");
    }

    private static Task UpgradeRequired(HttpContext context, string detail)
    {
        context.Response.Headers.Upgrade = "websocket";
        context.Response.Headers.Connection = "Upgrade";
        return context.WriteProblemAsync(StatusCodes.Status426UpgradeRequired, detail, "upgrade_required");
    }

    private static bool IsKey(StringValues keys)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes];
        return keys is [{ } key] && Convert.TryFromBase64String(key, bytes, out var length) && length == KeyBytes;
    }
}
