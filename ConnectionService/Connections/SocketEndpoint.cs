using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Tickets;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

internal static class SocketEndpoint
{
    private const string Path = "/ws";
    private const string Protocol = "aspirechat.v1";

    /// <summary>Nothing of a socket has a deadline in the loop: <see cref="Heartbeats"/> looks after them.</summary>
    private static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);

    public static IServiceCollection AddSockets(this IServiceCollection services)
    {
        services.AddValidatedOptions<SocketOptions>(SocketOptions.Section);
        services.AddSingleton<SocketMetrics>();
        services.AddSingleton<OutboundMetrics>();
        services.AddValidatedOptions<BudgetOptions>(BudgetOptions.Section);
        services.AddSingleton<UserBudgets>();
        services.AddSingleton<OpenSockets>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<SocketOptions>>().Value.Outbound);
        services.AddSingleton<OutboundDrain>();
        services.AddSingleton<OutboundQueues>();
        services.AddSingleton<OutboundBudget>();
        services.AddSingleton<Heartbeats>();
        services.AddSingleton<NewEvents>();
        services.AddSingleton<SignalPublisher>();
        services.AddSingleton<FrameHandlers>();
        services.AddSingleton<SocketSessions>();
        services.AddSingleton<SocketAcceptor>();
        services.AddHostedService(provider => provider.GetRequiredService<Heartbeats>());
        // Behind everything that sockets need: the host stops it first, and it waits for them.
        services.AddHostedService<SocketDrain>();
        services.AddConnectionHandover();
        services.AddLoopTransport("sockets", provider => new EventLoopOptions(
            provider.GetRequiredService<IOptions<SocketOptions>>().Value.Framing == SocketFraming.Own, Sweep, provider.GetRequiredService<OutboundDrain>()));
        services.Configure<SocketTransportOptions>(transport =>
        {
            // Bytes that wait behind the frame that is handled. The rest waits at the client.
            transport.MaxReadBufferSize = 64 * 1024;
            transport.CreateBoundListenSocket = static endpoint =>
            {
                // Accepted sockets inherit it. The kernel's own choice grows to megabytes.
                var listening = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
                listening.ReceiveBufferSize = 64 * 1024;
                return listening;
            };
        });
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

    private static async Task AcceptAsync(
        HttpContext context, SocketAcceptor acceptor, OpenSockets open, ITokenRevocations revocations)
    {
        // RFC 6455 §4.1: a GET of HTTP/1.1 or later. The framework looks at the method and the version of the protocol above it alone.
        if (!context.WebSockets.IsWebSocketRequest || HttpProtocol.IsHttp10(context.Request.Protocol))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "This address is a WebSocket.", ErrorCodes.BadRequest);
            return;
        }
        if (open.IsDraining)
        {
            await context.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "This node is stopping.", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));
            return;
        }
        if (!SocketTickets.IsFromItsPage(context))
        {
            await context.WriteProblemAsync(StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden");
            return;
        }
        // Of a token this is known already. A ticket lives by the token that it was got with.
        switch (await ChatUser.From(context.User).StateInAsync(revocations))
        {
            case RevocationState.Good:
                await acceptor.AcceptAsync(context);
                break;
            case RevocationState.Revoked:
                await context.WriteProblemAsync(StatusCodes.Status401Unauthorized, "The token was revoked.", "token_revoked");
                break;
            default:
                await context.WriteProblemAsync(
                    StatusCodes.Status503ServiceUnavailable, "Tokens cannot be verified now.", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));
                break;
        }
    }
}
