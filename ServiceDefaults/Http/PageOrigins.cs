using Microsoft.AspNetCore.Http;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Which pages may open sockets: those of the server's own address, and those of allowed origins. Browsers let any page open a socket to
/// any host, so the server has to check. Thread-safe.
/// </summary>
/// <param name="allowed">Origins as browsers send them (<c>https://example.org</c>); <c>*</c> allows every page.</param>
public sealed class PageOrigins(IEnumerable<string> allowed)
{
    private readonly HashSet<string> _allowed = new(allowed.Select(origin => origin.TrimEnd('/')), StringComparer.OrdinalIgnoreCase);

    /// <summary>The header <c>Origin</c>. Null: the request is not from a page.</summary>
    public static string? Of(HttpRequest request) => request.Headers.Origin.Count == 0 ? null : request.Headers.Origin.ToString();

    /// <summary>The origin is one of those allowed, wherever the server itself is reached.</summary>
    public bool IsListed(string origin) => _allowed.Contains("*") || _allowed.Contains(origin);

    /// <param name="origin">As <see cref="Of"/> says.</param>
    /// <param name="host">The address that the client used.</param>
    public bool Allow(string? origin, HostString host)
    {
        if (origin is null || IsListed(origin))
        {
            return true;
        }
        // The scheme is not compared: behind a proxy that ends TLS this process sees http although the page was loaded by https.
        return Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && page.Scheme is "http" or "https"
            && string.Equals(page.Authority, WithoutDefaultPort(host, page), StringComparison.OrdinalIgnoreCase);
    }

    private static string WithoutDefaultPort(HostString host, Uri page) =>
        page.IsDefaultPort && host.Port == page.Port ? host.Host : host.Value ?? "";
}
