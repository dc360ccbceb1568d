using AspireChat.Gateway.Routing;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// What must hold before a socket is forwarded, besides a good token: it is a WebSocket handshake (else 426), and a browser's page comes
/// from an allowed origin (else 403). Browsers let any page open a socket to any host, so the server has to look.
/// </summary>
internal sealed class SocketHandshake(RequestDelegate next, IOptions<GatewayOptions> options)
{
    private readonly bool _anyOrigin = options.Value.AllowedOrigins.Contains("*");
    private readonly HashSet<string> _origins =
        new(options.Value.AllowedOrigins.Select(origin => origin.TrimEnd('/')), StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        if (!context.GetReverseProxyFeature().IsSocket()) return next(context);
        if (!IsHandshake(context))
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.Connection = "Upgrade";
            return context.WriteProblemAsync(
                StatusCodes.Status426UpgradeRequired, "This address speaks WebSocket only.", "upgrade_required");
        }
        return IsAllowed(context.Request)
            ? next(context)
            : context.WriteProblemAsync(StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden");
    }

    private static bool IsHandshake(HttpContext context)
    {
        var extended = context.Features.Get<IHttpExtendedConnectFeature>();
        if (extended is { IsExtendedConnect: true }) return IsWebSocket(extended.Protocol);
        return context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && IsWebSocket(context.Request.Headers.Upgrade);
    }

    private static bool IsWebSocket(string? protocol) => string.Equals(protocol, "websocket", StringComparison.OrdinalIgnoreCase);

    private bool IsAllowed(HttpRequest request)
    {
        if (request.Headers.Origin.Count == 0 || _anyOrigin) return true;
        var origin = request.Headers.Origin.ToString();
        if (_origins.Contains(origin)) return true;
        // The scheme is not compared: behind a proxy that ends TLS this process sees http where the page was loaded by https.
        return Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Scheme is "http" or "https"
            && string.Equals(page.Authority, WithoutDefaultPort(request.Host, page), StringComparison.OrdinalIgnoreCase);
    }

    private static string WithoutDefaultPort(HostString host, Uri page) =>
        page.IsDefaultPort && host.Port == page.Port ? host.Host : host.Value ?? "";
}
