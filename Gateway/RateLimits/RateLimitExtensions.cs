using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.RateLimiting;
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
/// Token buckets per user or per address; idle ones are forgotten by the limiter itself. Nothing queues: over the limit is 429.
/// </summary>
internal static class RateLimitExtensions
{
    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddRateLimiter(limiter => limiter.OnRejected = (rejected, _) =>
        {
            rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait);
            return new ValueTask(rejected.HttpContext.WriteProblemAsync(
                StatusCodes.Status429TooManyRequests, "Too many requests; try again later.", "rate_limited", wait));
        });
        builder.Services.AddOptions<RateLimiterOptions>().Configure<IOptions<GatewayOptions>>((limiter, gateway) =>
        {
            var limits = gateway.Value.RateLimits;
            limiter.AddPolicy(RateLimitPolicies.Api, context => Bucket(limits, limits.ApiPerUser, UserOf(context)));
            limiter.AddPolicy(RateLimitPolicies.Connects, context => Bucket(limits, limits.ConnectsPerAddress, AddressOf(context)));
            limiter.AddPolicy(RateLimitPolicies.DevTokens, context => Bucket(limits, limits.DevTokensPerAddress, AddressOf(context)));
        });
    }

    private static RateLimitPartition<string> Bucket(RateLimitOptions limits, RateLimit limit, string client) => limits.Enabled
        ? RateLimitPartition.GetTokenBucketLimiter(client, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = limit.Burst,
            TokensPerPeriod = limit.PerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        })
        : RateLimitPartition.GetNoLimiter("");

    /// <summary>Callers without a good token share their address's bucket; they are about to be refused anyway.</summary>
    private static string UserOf(HttpContext context) =>
        context.User.FindFirst(JwtRegisteredClaimNames.Sub)?.Value is { } user ? $"user {user}" : AddressOf(context);

    private static string AddressOf(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address.ToString();
        }
        // One subscriber gets a whole /64 and could take a new address for every request.
        var network = address.GetAddressBytes().AsSpan(0, 8);
        return new IPAddress([.. network, 0, 0, 0, 0, 0, 0, 0, 0]).ToString();
    }
}
