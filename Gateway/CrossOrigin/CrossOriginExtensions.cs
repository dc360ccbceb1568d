using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace AspireChat.Gateway.CrossOrigin;

/// <summary>
/// Lets pages of the origins in <c>Gateway:AllowedOrigins</c> call the API, ask for development tokens and import the client module (CORS,
/// without credentials: nothing here uses cookies). Answers to other pages carry no such headers, and their browsers keep the answers from
/// them. Sockets have a rule of their own (<see cref="Sockets.SocketHandshake"/>), because browsers let every page open them.
/// </summary>
internal static class CrossOriginExtensions
{
    private const string Listed = "listed origins";

    /// <summary>A browser asks again after that time; it may not remember for longer than two hours anyway.</summary>
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    public static void AddCrossOrigin(this WebApplicationBuilder builder)
    {
        builder.Services.AddCors();
        builder.Services.AddOptions<CorsOptions>().Configure<IOptions<GatewayOptions>>((cors, gateway) =>
        {
            var origins = new PageOrigins(gateway.Value.AllowedOrigins);
            cors.AddPolicy(Listed, policy => policy
                .SetIsOriginAllowed(origins.IsListed)
                .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete)
                .WithHeaders(HeaderNames.Authorization, HeaderNames.ContentType)
                .WithExposedHeaders(HeaderNames.RetryAfter, HeaderNames.Location, HeaderNames.WWWAuthenticate)
                .SetPreflightMaxAge(PreflightAge));
        });
    }

    /// <summary>
    /// Call it before anything that may refuse a request: a page must be able to read why. A preflight is answered here; that costs less than
    /// a refusal.
    /// </summary>
    public static void UseCrossOrigin(this WebApplication app) => app.UseWhen(context => IsShared(context.Request.Path), shared =>
    {
        // Without it a cache could give a listed page the answer that was meant for no page.
        shared.Use((context, next) =>
        {
            context.Response.OnStarting(static state =>
            {
                var headers = ((HttpContext)state).Response.Headers;
                if (!headers.Vary.ToString().Contains(HeaderNames.Origin, StringComparison.OrdinalIgnoreCase))
                {
                    headers.Append(HeaderNames.Vary, HeaderNames.Origin);
                }

                return Task.CompletedTask;
            }, context);
            return next(context);
        });
        shared.UseCors(Listed);
    });

    private static bool IsShared(PathString path) =>
        path.StartsWithSegments("/api") || path.StartsWithSegments("/dev/token") || path == "/aspirechat.js" || path.StartsWithSegments("/lib");
}
