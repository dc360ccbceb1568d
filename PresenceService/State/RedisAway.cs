using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService.State;

/// <summary>Answers 503 with <c>Retry-After</c> while Redis is away or full, so that no caller takes the failure for a state of presence.</summary>
internal sealed class RedisAway : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (Exception e) when (RedisFaults.IsAway(e) || RedisFaults.IsFull(e))
        {
            await context.HttpContext.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "Presence is not available at the moment.", ErrorCodes.Unavailable,
                TimeSpan.FromSeconds(1));
            return Results.Empty;
        }
    }
}
