using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Tickets;

/// <summary><c>POST /api/socket-tickets</c>: where and by what the caller may open a socket without passing the gateway.</summary>
internal static class TicketEndpoint
{
    public static IServiceCollection AddTickets(this IServiceCollection services)
    {
        services.AddValidatedOptions<TicketOptions>(TicketOptions.Section);
        services.AddSingleton<SocketTickets>();
        services.AddSingleton<TicketOrigins>();
        services.AddTicketScheme();
        return services;
    }

    public static void MapTickets(this WebApplication app) => app.MapPost("/api/socket-tickets", IssueAsync).RequireAuthorization();

    private static Task IssueAsync(HttpContext context, SocketTickets tickets, TicketOrigins origins, IHostApplicationLifetime lifetime)
    {
        if (!tickets.AreIssued)
        {
            return context.WriteProblemAsync(
                StatusCodes.Status404NotFound, "Tickets are off here: open the socket at the gateway.", ErrorCodes.NotFound);
        }
        if (!origins.Allow(context.Request))
        {
            return context.WriteProblemAsync(StatusCodes.Status403Forbidden, "This origin may not open a socket.", "origin_forbidden");
        }

        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return context.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "This node is stopping.", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));
        }
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            tickets.Issue(ChatUser.From(context.User), PageOrigins.Of(context.Request)), context.RequestAborted);
    }
}
