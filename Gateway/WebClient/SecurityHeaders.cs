using System.Buffers;

namespace AspireChat.Gateway.WebClient;

/// <summary>
/// Headers that keep a fault in the page from becoming a hole. They are on every response. The page may run nothing inline and load nothing
/// from elsewhere.
/// </summary>
internal static class SecurityHeaders
{
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; " +
        "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";

    private static readonly SearchValues<char> HostCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]");

    public static void UseSecurityHeaders(this WebApplication app) => app.Use(static (context, next) =>
    {
        // Set at the start of the response, because an error page clears what was set before.
        context.Response.OnStarting(static state =>
        {
            var response = ((HttpContext)state).Response;
            if (response.StatusCode == StatusCodes.Status101SwitchingProtocols)
            {
                return Task.CompletedTask;
            }

            var headers = response.Headers;
            headers.ContentSecurityPolicy = ContentPolicy + SocketsOf(response.HttpContext.Request.Host.Value);
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            // What is meant for one user must not lie in a cache that others use.
            if (IsPersonal(response.HttpContext.Request.Path))
            {
                headers.CacheControl = "no-store";
            }

            if (response.HttpContext.Request.IsHttps)
            {
                headers.StrictTransportSecurity = "max-age=31536000";
            }

            return Task.CompletedTask;
        }, context);
        return next(context);
    });

    private static bool IsPersonal(PathString path) =>
        path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/dev", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/ws", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The page's own socket, for Safari before 15.4, where 'self' does not include ws:. A host that could be read as something else than
    /// one source is left out.
    /// </summary>
    private static string SocketsOf(string? host) =>
        string.IsNullOrEmpty(host) || host.AsSpan().ContainsAnyExcept(HostCharacters) ? "" : $" ws://{host} wss://{host}";
}
