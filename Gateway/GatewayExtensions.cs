using AspireChat.Gateway.CrossOrigin;
using AspireChat.Gateway.OpenApi;
using AspireChat.Gateway.RateLimits;
using AspireChat.Gateway.Requests;
using AspireChat.Gateway.Routing;
using AspireChat.Gateway.Sockets;
using AspireChat.Gateway.Tokens;
using AspireChat.Gateway.Tunnels;
using AspireChat.Gateway.WebClient;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway;

/// <summary>The gateway's features, and the order in which a request meets them.</summary>
public static class GatewayExtensions
{
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<GatewayOptions>(GatewayOptions.Section);
        builder.AddServerLimits();
        builder.AddKnownProxies();
        builder.AddCrossOrigin();
        builder.AddRateLimits();
        builder.AddRouting();
        builder.AddTunnels();
        return builder;
    }

    public static WebApplication MapGateway(this WebApplication app)
    {
        app.UseKnownProxies();
        app.UseSecurityHeaders();
        app.UseCrossOrigin();
        app.UseRequestLimit();
        app.UseHostNames();
        app.UseHeadRequests();
        app.UseRouting();
        app.UseWebClient();
        app.UseMiddleware<TokenIntake>();
        app.UseAuthentication();
        // After authentication, because the API's limit is per user; before authorization, so that refused attempts count too.
        app.UseRouteLimits();
        app.UseAuthorization();
        app.MapDevTokens();
        app.MapSignInSettings();
        app.MapOpenApiDocument();
        app.MapUnlistedCalls();
        app.MapReverseProxy(proxy =>
        {
            proxy.UseMiddleware<CallsInFlight>();
            proxy.UseMiddleware<SocketHandshake>();
            proxy.UseMiddleware<SocketDrain>();
            proxy.UseMiddleware<ForwardingFailures>();
            proxy.UseLoadBalancing();
            proxy.UsePassiveHealthChecks();
        }).ConfigureEndpoints((endpoint, route) => endpoint.WithMetadata(Routes.IsSocket(route) ? RouteLimit.Connects : RouteLimit.Api));
        return app;
    }

    private static void AddServerLimits(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A token may be in the request line; an identity provider's tokens come to several KiB.
            kestrel.Limits.MaxRequestLineSize = 16 * 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 100;
            // The largest body of the contract is a message of 8,000 characters, at most 48,000 bytes when every one is escaped.
            kestrel.Limits.MaxRequestBodySize = 128 * 1024;
            // Slower than a modem. Whoever is slower holds a connection for nothing.
            var least = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
            (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (least, least);
            // Longer than an edge keeps a connection for its next request, so that the edge is the one to close it.
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        });
        builder.Services.AddOptions<KestrelServerOptions>().Configure<IOptions<GatewayOptions>>((kestrel, gateway) =>
        {
            kestrel.Limits.RequestHeadersTimeout = gateway.Value.HeadTimeout;
            kestrel.Limits.MaxConcurrentConnections = gateway.Value.RateLimits is { Enabled: true, Connections: var most } ? most : null;
        });
    }
}
