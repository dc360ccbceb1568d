using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.History;

/// <summary>
/// <c>GET /internal/events?conversation=&amp;after=&amp;limit=</c>: committed events as they are replayed, for the nodes, as an
/// <see cref="EventReplay"/>.
/// </summary>
internal static class ReplayEndpoint
{
    private const int Most = 1_000;

    public static void MapReplay(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/internal/events", AnswerAsync).RequireAuthorization(ChatPolicies.Internal);

    private static async Task AnswerAsync(HttpContext context, string conversation, long after, int limit, EventTable events)
    {
        if (!ConversationKey.TryParse(conversation, out var key) || after < 0 || limit is < 1 or > Most)
        {
            var problem = $"A conversation's key, after at least 0 and limit from 1 to {Most} are needed.";
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }
        List<ConversationEvent> found;
        try
        {
            found = await events.ReadReplayAsync(key, after, limit, context.RequestAborted);
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        context.Response.ContentType = "text/plain; charset=utf-8";
        foreach (var e in found)
        {
            await context.Response.Body.WriteAsync(EventReplay.EncodeLine(e), context.RequestAborted);
        }
    }
}
