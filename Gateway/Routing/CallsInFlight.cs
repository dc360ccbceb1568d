using AspireChat.Contracts.Frames;
using AspireChat.Gateway.RateLimits;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// Bounds a user's calls that are under way (<see cref="RateLimitOptions.CallsPerUser"/>). Without it one user's calls could take all connections to
/// a service, or fill its queue of connections, and those of others would wait there.
/// </summary>
internal sealed class CallsInFlight
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly RequestDelegate _next;
    private readonly RefusalMetrics _refusals;
    private readonly HeldCounts? _perUser;

    public CallsInFlight(RequestDelegate next, IOptions<GatewayOptions> options, RefusalMetrics refusals)
    {
        _next = next;
        _refusals = refusals;
        var limits = options.Value.RateLimits;
        _perUser = limits.Enabled ? new HeldCounts(limits.CallsPerUser) : null;
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (_perUser is null
            || context.GetReverseProxyFeature().IsSocket()
            || context.User.FindFirst(JwtRegisteredClaimNames.Sub)?.Value is not { } user)
        {
            await _next(context);
            return;
        }

        if (!_perUser.TryAdd(user))
        {
            _refusals.Add(Refusal.Calls);
            await context.WriteProblemAsync(
                StatusCodes.Status429TooManyRequests, "Too many calls at a time.", ErrorCodes.RateLimited, RetryAfter);
            return;
        }

        try
        {
            await _next(context);
        }
        finally
        {
            _perUser.Remove(user);
        }
    }
}
