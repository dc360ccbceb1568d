using System.Net.WebSockets;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Http.Features;

namespace AspireChat.ConnectionService.Sockets;

internal static class SocketEndpoint
{
    private const string Path = "/ws";
    private const string Protocol = "aspirechat.v1";

    public static IServiceCollection AddSockets(this IServiceCollection services)
    {
        services.AddValidatedOptions<SocketOptions>(SocketOptions.Section);
        services.AddSingleton<SocketMetrics>();
        services.AddSingleton<UserAllowances>();
        services.AddSingleton<OpenSockets>();
        services.AddSingleton<SocketServices>();
        services.AddHostedService<SocketDrain>();
        return services;
    }

    /// <summary>Maps <c>/ws</c>: a verified user's socket.</summary>
    public static void MapSockets(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (context.Request.Path == Path && context.Features.Get<IHttpUpgradeFeature>() is { } upgrade)
                context.Features.Set<IHttpUpgradeFeature>(new LingeringUpgrade(upgrade, context.Abort));
            return next(context);
        });
        app.UseWebSockets();
        app.Map(Path, AcceptAsync).RequireAuthorization();
    }

    private static async Task AcceptAsync(HttpContext context, SocketServices services)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "This address is a WebSocket.", "bad_request");
            return;
        }
        if (services.Open.IsDraining)
        {
            await context.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "This node is stopping.", "unavailable", TimeSpan.FromSeconds(1));
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol) ? Protocol : null,
            KeepAliveInterval = services.Options.Heartbeat,
            KeepAliveTimeout = services.Options.HeartbeatTimeout,
        });
        await new SocketSession(services, socket, context.Abort, ChatUser.From(context.User)).RunAsync(context.RequestAborted);
        if (socket.State == WebSocketState.Aborted
            && context.Features.Get<IHttpUpgradeFeature>() is LingeringUpgrade { Stream: { } stream })
            await stream.LingerAsync(services.Options.CloseTimeout, services.Time, context.RequestAborted);
    }
}
