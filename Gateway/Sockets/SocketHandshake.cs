using AspireChat.Gateway.Routing;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// What must hold before a socket is forwarded, besides a good token: it is a WebSocket handshake (else 426), and a browser's page comes
/// from an allowed origin (else 403).
/// </summary>
internal sealed class SocketHandshake(RequestDelegate next, IOptions<GatewayOptions> options)
{
    private readonly PageOrigins _origins = new(options.Value.AllowedOrigins);

    public Task InvokeAsync(HttpContext context)
    {
        if (!context.GetReverseProxyFeature().IsSocket())
        {
            return next(context);
        }
        if (!Handshake.IsRequested(context))
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.Connection = "Upgrade";
            return context.WriteProblemAsync(
                StatusCodes.Status426UpgradeRequired, "This address speaks WebSocket only.", "upgrade_required");
        }
        return _origins.Allow(PageOrigins.Of(context.Request), context.Request.Host)
            ? next(context)
            : context.WriteProblemAsync(StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden");
    }
}
