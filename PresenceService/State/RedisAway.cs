using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService.State;

/// <summary>Turns Redis' absence into 503 with <c>Retry-After</c>, so that no caller mistakes it for an answer.</summary>
internal sealed class RedisAway : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (Exception e) when (RedisFailure.Is(e))
        {
            await context.HttpContext.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "Presence is not available at the moment.", ErrorCodes.Unavailable,
                TimeSpan.FromSeconds(1));
            return Results.Empty;
        }
    }
}
