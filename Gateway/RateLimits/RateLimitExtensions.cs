using System.Threading.RateLimiting;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Gateway.RateLimits;

/// <summary>Names of the rate limiter policies that routes ask for.</summary>
internal static class RateLimitPolicies
{
    public const string Api = "api";
    public const string Connects = "connects";
    public const string DevTokens = "dev-tokens";
}

/// <summary>
/// Token buckets per user or per address. The limiter forgets idle ones by itself. No request waits: one that is over the limit gets 429.
/// </summary>
internal static class RateLimitExtensions
{
    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RefusalMetrics>();
        builder.Services.AddSingleton<SocketTransportFactory>();
        builder.Services.AddLoopTransport("clients", provider => provider.GetRequiredService<IOptions<GatewayOptions>>().Value.Loops);
        // The server asks the factory that was added last first.
        builder.Services.AddSingleton<IConnectionListenerFactory, ConnectionLimit>();
        builder.Services.AddRateLimiter(limiter => limiter.OnRejected = (rejected, _) => new ValueTask(RefuseAsync(
            rejected.HttpContext,
            rejected.Lease,
            rejected.HttpContext.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName ?? Refusal.Requests)));
        builder.Services.AddOptions<RateLimiterOptions>().Configure<IOptions<GatewayOptions>>((limiter, gateway) =>
        {
            var limits = gateway.Value.RateLimits;
            limiter.AddPolicy(RateLimitPolicies.Api, context => Bucket(limits, limits.ApiPerUser, UserOf(context)));
            limiter.AddPolicy(RateLimitPolicies.Connects, context => Bucket(limits, limits.ConnectsPerAddress, ClientAddress.Of(context)));
            limiter.AddPolicy(RateLimitPolicies.DevTokens, context => Bucket(limits, limits.DevTokensPerAddress, ClientAddress.Of(context)));
        });
    }

    /// <summary>
    /// Limits all requests of an address together, whatever they are for: files, unknown paths and bad tokens too. Call it before anything that
    /// costs more than looking at the address. Health checks are not limited: a prober may share its address with an attacker, a refusal would
    /// take the gateway out of service, and the answer costs no more than the refusal.
    /// </summary>
    public static void UseRequestLimit(this WebApplication app)
    {
        var limits = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.RateLimits;
        var requests = PartitionedRateLimiter.Create<HttpContext, string>(
            context => Bucket(limits, limits.RequestsPerAddress, ClientAddress.Of(context)));
        app.Lifetime.ApplicationStopped.Register(requests.Dispose);
        app.Use(async (context, next) =>
        {
            if (context.Request.Path == HealthExtensions.ReadyPath || context.Request.Path == HealthExtensions.LivePath)
            {
                await next(context);
                return;
            }
            using var lease = requests.AttemptAcquire(context);
            await (lease.IsAcquired ? next(context) : RefuseAsync(context, lease, Refusal.Requests));
        });
    }

    private static Task RefuseAsync(HttpContext context, RateLimitLease lease, string reason)
    {
        context.RequestServices.GetRequiredService<RefusalMetrics>().Add(reason);
        lease.TryGetMetadata(MetadataName.RetryAfter, out var wait);
        return context.WriteProblemAsync(
            StatusCodes.Status429TooManyRequests, "Too many requests; try again later.", ErrorCodes.RateLimited, wait);
    }

    private static RateLimitPartition<string> Bucket(RateLimitOptions limits, RateLimit limit, string client) => limits.Enabled
        ? RateLimitPartition.GetTokenBucketLimiter(client, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = limit.Burst,
            TokensPerPeriod = limit.PerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        })
        : RateLimitPartition.GetNoLimiter("");

    /// <summary>Callers without a good token share the bucket of their address. They are about to be refused anyway.</summary>
    private static string UserOf(HttpContext context) =>
        context.User.FindFirst(JwtRegisteredClaimNames.Sub)?.Value is { } user ? $"user {user}" : ClientAddress.Of(context);
}
