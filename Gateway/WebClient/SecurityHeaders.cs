using System.Buffers;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.WebClient;

/// <summary>
/// Headers that keep a fault in the page from becoming a hole. They are on every response. The page may run nothing inline and load nothing
/// from elsewhere, but for the images of <c>Gateway:ImageOrigins</c>.
/// </summary>
internal static class SecurityHeaders
{
    private const string AllImages = "https:";
    private const string PolicyBeforeImages = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:";
    private const string PolicyAfterImages =
        "; font-src 'self'; manifest-src 'self'; " +
        "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";

    private static readonly SearchValues<char> HostCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]");

    public static void UseSecurityHeaders(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        var policy = string.Join(' ', [PolicyBeforeImages, .. options.ImageOrigins]) + PolicyAfterImages;
        if (options.SignIn.ClientId is null || app.Services.GetRequiredService<IOptions<JwtOptions>>().Value.Authority is not { } authority)
        {
            app.Use((context, next) => SetHeadersAsync(context, next, policy));
            return;
        }

        // Where the page sends its code and its refresh token, which need not be where the provider publishes its addresses.
        var own = authority.GetLeftPart(UriPartial.Authority);
        policy += $" {own}";
        var provider = app.Services.GetRequiredService<IProviderEndpoints>();
        app.Use((context, next) => SetHeadersAsync(
            context, next, provider.Known is { } known && known.TokenOrigin != own ? $"{policy} {known.TokenOrigin}" : policy));
    }

    /// <summary>Whether the policy can name it as a source of images.</summary>
    public static bool IsImageSource(string origin) => origin is AllImages
        || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
            && uri.GetLeftPart(UriPartial.Authority).Equals(origin.TrimEnd('/'), StringComparison.OrdinalIgnoreCase)
            && uri.UserInfo.Length == 0 && !uri.Authority.AsSpan().ContainsAnyExcept(HostCharacters));

    private static Task SetHeadersAsync(HttpContext context, RequestDelegate next, string policy)
    {
        // Set at the start of the response, because an error page clears what was set before.
        context.Response.OnStarting(() =>
        {
            var response = context.Response;
            if (response.StatusCode == StatusCodes.Status101SwitchingProtocols)
            {
                return Task.CompletedTask;
            }

            var headers = response.Headers;
            headers.ContentSecurityPolicy = policy + SocketsOf(response.HttpContext.Request.Host.Value);
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
        });
        return next(context);
    }

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
