using System.Net.WebSockets;
using AspireChat.ConnectionService.Tickets;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

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
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<SocketOptions>>().Value.Outbound);
        services.AddSingleton<OutboundDrain>();
        services.AddSingleton<OutboundQueues>();
        services.AddSingleton<Heartbeats>();
        services.AddSingleton<SocketServices>();
        services.AddHostedService<SocketDrain>();
        services.AddHostedService(provider => provider.GetRequiredService<Heartbeats>());
        services.AddConnectionHandover();
        services.Configure<SocketTransportOptions>(transport => transport.FlushToKernel());
        return services;
    }

    /// <summary>Maps <c>/ws</c>: a verified user's socket.</summary>
    public static void MapSockets(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (context.Request.Path == Path && context.Features.Get<IHttpUpgradeFeature>() is { } upgrade)
            {
                context.Features.Set<IHttpUpgradeFeature>(new LingeringUpgrade(upgrade, context.Abort));
            }
            return next(context);
        });
        app.UseWebSockets();
        app.Map(Path, AcceptAsync)
            .RequireAuthorization(policy => policy.AddAuthenticationSchemes(TicketScheme.Socket).RequireAuthenticatedUser());
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
        if (!SocketTickets.IsFromItsPage(context))
        {
            await context.WriteProblemAsync(StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden");
            return;
        }
        var user = ChatUser.From(context.User);
        var id = services.NewConnectionId();
        var protocol = context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol) ? Protocol : null;
        if (services.Options.Framing != SocketFraming.Own
            || !await Handshake.TryAcceptAsync(context, protocol, Session(services, id, user)))
        {
            await RunFrameworkAsync(context, services, protocol, id, user);
        }
    }

    /// <summary>Apart from the request, which would otherwise live as long as the socket.</summary>
    private static Func<ConnectionContext, Task> Session(SocketServices services, string id, ChatUser user) => async connection =>
    {
        var socket = connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
        var reader = new FrameReader(connection.Transport.Input, services.Options.FrameBytes, services.Options.FarTooLargeBytes);
        var outbound = services.Outbound.Create(new SharedFrameWriter(socket), connection.Abort, id);
        using var channel = new OwnChannel(reader, outbound, services.Heartbeats, connection.Abort);
        await new SocketSession(services, channel, id, user).RunAsync(connection.ConnectionClosed);
    };

    private static async Task RunFrameworkAsync(HttpContext context, SocketServices services, string? protocol, string id, ChatUser user)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = protocol,
            KeepAliveInterval = services.Options.Heartbeat,
            KeepAliveTimeout = services.Options.HeartbeatTimeout,
        });
        var outbound = services.Outbound.Create(new FrameworkWriter(socket), context.Abort, id);
        using var channel = new FrameworkChannel(socket, outbound, services.Options.FrameBytes, services.Options.FarTooLargeBytes);
        await new SocketSession(services, channel, id, user).RunAsync(context.RequestAborted);
        if (socket.State == WebSocketState.Aborted
            && context.Features.Get<IHttpUpgradeFeature>() is LingeringUpgrade { Stream: { } stream })
        {
            await stream.LingerAsync(services.Options.CloseTimeout, services.Time, context.RequestAborted);
        }
    }
}
