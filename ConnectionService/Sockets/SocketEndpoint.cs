using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Sockets;

internal static class SocketEndpoint
{
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
        app.UseWebSockets();
        app.Map("/ws", AcceptAsync).RequireAuthorization();
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
        await new SocketSession(services, socket, ChatUser.From(context.User)).RunAsync(context.RequestAborted);
    }
}
