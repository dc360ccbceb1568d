using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.RateLimits;

internal static class RateLimitExtensions
{
    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RefusalMetrics>();
        builder.Services.AddSingleton<RateLimits>();
        builder.Services.AddSingleton<SocketTransportFactory>();
        builder.Services.AddLoopTransport("clients", provider => provider.GetRequiredService<IOptions<GatewayOptions>>().Value.Loops);
        // The server asks the factory that was added last first.
        builder.Services.AddSingleton<IConnectionListenerFactory, ConnectionLimit>();
    }

    /// <summary>
    /// Limits all requests of an address together, whatever they are for: files, unknown paths and bad tokens too. Call it before anything that
    /// costs more than looking at the address. Health checks are not limited: a prober may share its address with an attacker, a refusal would
    /// take the gateway out of service, and the answer costs no more than the refusal.
    /// </summary>
    public static void UseRequestLimit(this WebApplication app)
    {
        var limits = app.Services.GetRequiredService<RateLimits>();
        app.Use((context, next) =>
        {
            var isProbe = context.Request.Path == HealthExtensions.ReadyPath || context.Request.Path == HealthExtensions.LivePath;
            return AdmitAsync(context, next, limits, isProbe ? null : RouteLimit.Requests);
        });
    }

    /// <summary>Limits the requests to endpoints with a <see cref="RouteLimit"/>. Call it behind authentication, because the API's limit is per user.</summary>
    public static void UseRouteLimits(this WebApplication app)
    {
        var limits = app.Services.GetRequiredService<RateLimits>();
        app.Use((context, next) => AdmitAsync(context, next, limits, context.GetEndpoint()?.Metadata.GetMetadata<RouteLimit>()));
    }

    private static Task AdmitAsync(HttpContext context, RequestDelegate next, RateLimits limits, RouteLimit? limit)
    {
        if (limit is null || limits.TryTake(context, limit, out var retryAfter))
        {
            return next(context);
        }

        context.RequestServices.GetRequiredService<RefusalMetrics>().Add(limit.Name);
        return context.WriteProblemAsync(
            StatusCodes.Status429TooManyRequests, "Too many requests; try again later.", ErrorCodes.RateLimited, retryAfter);
    }
}
