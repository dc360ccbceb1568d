using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Gateway.RateLimits;

/// <summary>What requests count against. Those besides <see cref="Requests"/> are metadata of endpoints.</summary>
/// <param name="Name">The reason of refusals in <see cref="RefusalMetrics"/>.</param>
internal sealed record RouteLimit(string Name)
{
    /// <summary>All requests of an address, whatever they are for.</summary>
    public static RouteLimit Requests { get; } = new(Refusal.Requests);

    public static RouteLimit Api { get; } = new("api");

    public static RouteLimit Connects { get; } = new("connects");

    public static RouteLimit DevTokens { get; } = new("dev-tokens");
}

/// <summary>
/// Token buckets per user or per address. No request waits: one that is over the limit gets 429. The framework's limiters are not used, because
/// each of them runs ten times a second whether anybody calls or not (docs/decisions/0017). Thread-safe.
/// </summary>
internal sealed class RateLimits(IOptions<GatewayOptions> options, TimeProvider time)
{
    private readonly bool _isEnabled = options.Value.RateLimits.Enabled;
    private readonly Dictionary<RouteLimit, TokenBuckets> _buckets = new()
    {
        [RouteLimit.Requests] = Buckets(options.Value.RateLimits.RequestsPerAddress, time),
        [RouteLimit.Api] = Buckets(options.Value.RateLimits.ApiPerUser, time),
        [RouteLimit.Connects] = Buckets(options.Value.RateLimits.ConnectsPerAddress, time),
        [RouteLimit.DevTokens] = Buckets(options.Value.RateLimits.DevTokensPerAddress, time),
    };

    /// <summary>Counts a request against a limit.</summary>
    /// <param name="retryAfter">When false is returned: after this time the next one is answered.</param>
    public bool TryTake(HttpContext context, RouteLimit limit, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        return !_isEnabled || _buckets[limit].TryTake(limit == RouteLimit.Api ? UserOf(context) : ClientAddress.Of(context), out retryAfter);
    }

    /// <summary>Callers without a good token share the bucket of their address. They are about to be refused anyway.</summary>
    private static string UserOf(HttpContext context) =>
        context.User.FindFirst(JwtRegisteredClaimNames.Sub)?.Value is { } user ? $"user {user}" : ClientAddress.Of(context);

    private static TokenBuckets Buckets(RateLimit limit, TimeProvider time) => new(limit.PerSecond, limit.Burst, time);
}
