using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Tickets;

/// <summary>
/// The gateway's rule for the origin of sockets, kept where a ticket is issued: pages of the gateway's own address and of allowed origins
/// get one, other pages do not; who sends no Origin is no page. Thread-safe.
/// </summary>
internal sealed class PageOrigin(IOptions<TicketOptions> options)
{
    private readonly HashSet<string> _allowed =
        new(options.Value.AllowedOrigins.Select(origin => origin.TrimEnd('/')), StringComparer.OrdinalIgnoreCase);

    /// <summary>Null: no page's request.</summary>
    public static string? Of(HttpRequest request) => request.Headers.Origin.Count == 0 ? null : request.Headers.Origin.ToString();

    public bool IsAllowed(HttpRequest request)
    {
        if (Of(request) is not { } origin || _allowed.Contains("*") || _allowed.Contains(origin))
            return true;
        // Written by the gateway, whatever the client sent. The scheme is not compared: something in front of it may end TLS.
        var gateway = request.Headers["X-Forwarded-Host"] is { Count: > 0 } forwarded ? new HostString(forwarded.ToString()) : request.Host;
        return Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Scheme is "http" or "https"
            && string.Equals(page.Authority, WithoutDefaultPort(gateway, page), StringComparison.OrdinalIgnoreCase);
    }

    private static string WithoutDefaultPort(HostString host, Uri page) =>
        page.IsDefaultPort && host.Port == page.Port ? host.Host : host.Value ?? "";
}
