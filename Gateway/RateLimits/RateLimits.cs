using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Gateway.RateLimits;

/// <summary>What an endpoint's requests count against, besides <see cref="RateLimitOptions.RequestsPerAddress"/>: metadata of the endpoint.</summary>
/// <param name="Name">The reason of refusals in <see cref="RefusalMetrics"/>.</param>
internal sealed record RouteLimit(string Name)
{
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
    private readonly TokenBuckets _requests = Buckets(options.Value.RateLimits.RequestsPerAddress, time);
    private readonly TokenBuckets _api = Buckets(options.Value.RateLimits.ApiPerUser, time);
    private readonly TokenBuckets _connects = Buckets(options.Value.RateLimits.ConnectsPerAddress, time);
    private readonly TokenBuckets _devTokens = Buckets(options.Value.RateLimits.DevTokensPerAddress, time);

    /// <summary>Counts a request of an address, whatever it is for.</summary>
    /// <param name="retryAfter">When false is returned: after this time the next one is answered.</param>
    public bool TryTake(HttpContext context, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        return !_isEnabled || _requests.TryTake(ClientAddress.Of(context), out retryAfter);
    }

    /// <summary>Counts a request against the limit of its endpoint.</summary>
    /// <param name="retryAfter">When false is returned: after this time the next one is answered.</param>
    public bool TryTake(HttpContext context, RouteLimit limit, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        if (!_isEnabled)
        {
            return true;
        }

        return limit == RouteLimit.Api
            ? _api.TryTake(UserOf(context), out retryAfter)
            : (limit == RouteLimit.Connects ? _connects : _devTokens).TryTake(ClientAddress.Of(context), out retryAfter);
    }

    /// <summary>Callers without a good token share the bucket of their address. They are about to be refused anyway.</summary>
    private static string UserOf(HttpContext context) =>
        context.User.FindFirst(JwtRegisteredClaimNames.Sub)?.Value is { } user ? $"user {user}" : ClientAddress.Of(context);

    private static TokenBuckets Buckets(RateLimit limit, TimeProvider time) => new(limit.PerSecond, limit.Burst, time);
}
