using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Tickets;

/// <summary>The gateway's rule for the origin of sockets, kept where a ticket is issued. Thread-safe.</summary>
internal sealed class TicketOrigins(IOptions<TicketOptions> options)
{
    private readonly PageOrigins _origins = new(options.Value.AllowedOrigins);

    public bool Allow(HttpRequest request)
    {
        // Written by the gateway, whatever the client sent.
        var gateway = request.Headers["X-Forwarded-Host"] is { Count: > 0 } forwarded ? new HostString(forwarded.ToString()) : request.Host;
        return _origins.Allow(PageOrigins.Of(request), gateway);
    }
}
