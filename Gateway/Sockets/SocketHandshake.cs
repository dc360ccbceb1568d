using AspireChat.Contracts.Frames;
using AspireChat.Gateway.RateLimits;
using AspireChat.Gateway.Routing;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// Checks a handshake before it is forwarded. It must be a GET (else 405), be a WebSocket handshake over HTTP/1.1 or later (426), name
/// version 13 (426) and one well-formed key (400), and come from an allowed origin if it comes from a page (403). The client's address must
/// have room for one more socket (429). Replicas check most of this too, but a bad handshake that stops here costs them nothing. A good one waits
/// for its turn (503), so that however many come at once, those who are connected are served meanwhile.
/// </summary>
internal sealed class SocketHandshake(RequestDelegate next, IOptions<GatewayOptions> options, RefusalMetrics refusals, TimeProvider time)
{
    private const string Version = "13";
    private const int KeyBytes = 16;

    /// <summary>Handshakes that wait, of one address and of all: each takes about 10 KB.</summary>
    private const int MostWaitingOfAddress = 1_000, MostWaiting = 8_000;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly HeldCounts? _sockets = options.Value.RateLimits.Enabled ? new(options.Value.RateLimits.SocketsPerAddress) : null;
    private readonly FairTurns _turns = new(options.Value.RateLimits.Handshakes, MostWaitingOfAddress, MostWaiting, time);
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
            return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "A socket is opened by GET.", "method_not_allowed");
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
            return RefuseAsync(
                context, StatusCodes.Status400BadRequest, $"Sec-WebSocket-Key must be {KeyBytes} bytes in Base64, once.", ErrorCodes.BadRequest);
        }
        return _origins.Allow(PageOrigins.Of(context.Request), context.Request.Host)
            ? AdmitAsync(context)
            : RefuseAsync(
                context, StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden", Refusal.Origin);
    }

    private async Task AdmitAsync(HttpContext context)
    {
        if (_sockets is null)
        {
            await next(context);
            return;
        }

        var address = ClientAddress.Of(context);
        if (!_sockets.TryAdd(address))
        {
            context.Response.Headers.RetryAfter = "60";
            await RefuseAsync(
                context, StatusCodes.Status429TooManyRequests, "Too many sockets are open from this address.", "limit", Refusal.Sockets);
            return;
        }

        var lease = new SocketLease(_sockets, address);
        context.Features.Set(lease);
        try
        {
            await TakeTurnAsync(context, address);
        }
        finally
        {
            if (!lease.IsTaken)
            {
                lease.Dispose();
            }
        }
    }

    private async Task TakeTurnAsync(HttpContext context, string address)
    {
        if (!await _turns.EnterAsync(address, options.Value.RateLimits.HandshakePatience, context.RequestAborted))
        {
            refusals.Add(Refusal.Turn);
            await context.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "Too many sockets are being opened.", ErrorCodes.Unavailable, RetryAfter);
            return;
        }

        // The turn ends with the answer. The request itself may last as long as the socket.
        var isOver = 0;
        context.Response.OnStarting(() =>
        {
            End();
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
        }
        finally
        {
            End();
        }

        void End()
        {
            if (Interlocked.Exchange(ref isOver, 1) == 0)
            {
                _turns.Leave();
            }
        }
    }

    private Task RefuseAsync(HttpContext context, int status, string detail, string code, string reason = Refusal.Handshake)
    {
        refusals.Add(reason);
        return context.WriteProblemAsync(status, detail, code);
    }

    private Task UpgradeRequired(HttpContext context, string detail)
    {
        context.Response.Headers.Upgrade = "websocket";
        context.Response.Headers.Connection = "Upgrade";
        return RefuseAsync(context, StatusCodes.Status426UpgradeRequired, detail, "upgrade_required");
    }

    private static bool IsKey(StringValues keys)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes];
        return keys is [{ } key] && Convert.TryFromBase64String(key, bytes, out var length) && length == KeyBytes;
    }
}
