using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace AspireChat.ConnectionService.Tickets;

/// <summary>How a socket is authenticated: by its user's token, or, where tickets are issued, by a ticket in the query.</summary>
internal static class TicketScheme
{
    /// <summary>Whichever of the two the request brings.</summary>
    public const string Socket = "Socket";

    public const string Ticket = "Ticket";

    public static void AddTicketScheme(this IServiceCollection services)
    {
        services.AddOwnTokens(Ticket, JwtOptions.TicketAudience);
        new AuthenticationBuilder(services).AddPolicyScheme(Socket, null, scheme => scheme.ForwardDefaultSelector = context =>
            context.Request.Query.ContainsKey(SocketTickets.Parameter) && TicketsOf(context).AreIssued
                ? Ticket
                : JwtBearerDefaults.AuthenticationScheme);
        services.PostConfigure<JwtBearerOptions>(Ticket, bearer =>
        {
            bearer.Events.OnMessageReceived = context =>
            {
                context.Token = context.Request.Query[SocketTickets.Parameter];
                return Task.CompletedTask;
            };
            bearer.Events.OnTokenValidated = context =>
            {
                context.Principal = TicketsOf(context.HttpContext).Use(context.Principal!);
                if (context.Principal is null)
                {
                    context.Fail("The ticket is another node's, or was used before.");
                }

                return Task.CompletedTask;
            };
        });
    }

    private static SocketTickets TicketsOf(HttpContext context) => context.RequestServices.GetRequiredService<SocketTickets>();
}
