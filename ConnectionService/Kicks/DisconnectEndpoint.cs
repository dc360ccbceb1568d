using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Kicks;

/// <summary><c>POST /api/admin/users/{user}/disconnect</c>: closes the user's sockets on every node with 4003.</summary>
internal static class DisconnectEndpoint
{
    public static void MapDisconnect(this WebApplication app) =>
        app.MapPost("/api/admin/users/{user}/disconnect", DisconnectAsync).RequireAuthorization(ChatPolicies.Admin);

    private static async Task DisconnectAsync(string user, HttpContext context, KickLog kicks)
    {
        if (!UserIds.IsValid(user))
        {
            await context.WriteProblemAsync(400, $"user must be {UserIds.Rule}", ErrorCodes.BadRequest);
            return;
        }
        try
        {
            await kicks.AddAsync(user);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            await context.WriteProblemAsync(503, "the nodes can't be reached", ErrorCodes.Unavailable, TimeSpan.FromSeconds(1));
        }
    }
}
