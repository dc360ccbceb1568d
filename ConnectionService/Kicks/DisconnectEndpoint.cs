using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Kicks;

/// <summary>
/// <c>POST /api/admin/users/{user}/disconnect</c>: closes the user's sockets on every node with 4003. <c>POST …/revoke</c>: also refuses the
/// tokens that the user has until now, at every service.
/// </summary>
internal static class DisconnectEndpoint
{
    public static void MapDisconnect(this WebApplication app)
    {
        app.MapPost("/api/admin/users/{user}/disconnect", (string user, HttpContext context, KickLog kicks) =>
            OrderAsync(user, context, kicks.DisconnectAsync)).RequireAuthorization(ChatPolicies.Admin);
        app.MapPost("/api/admin/users/{user}/revoke", (string user, HttpContext context, KickLog kicks) =>
            OrderAsync(user, context, kicks.RevokeAsync)).RequireAuthorization(ChatPolicies.Admin);
    }

    private static async Task OrderAsync(string user, HttpContext context, Func<string, Task> order)
    {
        if (!UserIds.IsValid(user))
        {
            await context.WriteProblemAsync(400, $"user must be {UserIds.Rule}", ErrorCodes.BadRequest);
            return;
        }
        try
        {
            await order(user);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is LogUnavailableException)
        {
            await context.WriteProblemAsync(503, "the nodes can't be reached", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));
        }
    }
}
