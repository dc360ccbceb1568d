using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.History;

/// <summary>
/// For the nodes. <c>GET /internal/events?conversation=&amp;after=&amp;limit=</c>: committed events as they are replayed, as an
/// <see cref="EventReplay"/>, written as they are read; fewer than asked for come when they are long
/// (<see cref="HistoryOptions.ReplayCharacters"/>). <c>GET /internal/targets?conversation=&amp;seq=&amp;emoji=</c>: a
/// <see cref="RevisionTarget"/>, or nothing.
/// </summary>
internal static class ReplayEndpoint
{
    private const int Most = 1_000;

    public static void MapReplay(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/internal/events", AnswerAsync).RequireAuthorization(ChatPolicies.Internal);
        routes.MapGet("/internal/targets", FindAsync).RequireAuthorization(ChatPolicies.Internal);
    }

    private static async Task FindAsync(HttpContext context, string conversation, long seq, string? emoji, EventTable events)
    {
        if (!ConversationKey.TryParse(conversation, out var key) || seq < 1)
        {
            await context.WriteProblemAsync(
                StatusCodes.Status400BadRequest, "A conversation's key and a seq are needed.", ErrorCodes.BadRequest);
            return;
        }
        try
        {
            var target = await events.FindTargetAsync(key, seq, emoji ?? "", context.RequestAborted);
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(target?.Encode() ?? "", context.RequestAborted);
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
        }
    }

    private static async Task AnswerAsync(
        HttpContext context, string conversation, long after, int limit, EventTable events, IOptions<HistoryOptions> options)
    {
        if (!ConversationKey.TryParse(conversation, out var key) || after < 0 || limit is < 1 or > Most)
        {
            var problem = $"A conversation's key, after at least 0 and limit from 1 to {Most} are needed.";
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }
        await using var found = events.ReadReplayAsync(key, after, limit, options.Value.ReplayCharacters, context.RequestAborted)
            .GetAsyncEnumerator(context.RequestAborted);
        bool any;
        try
        {
            any = await found.MoveNextAsync();
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        context.Response.ContentType = "text/plain; charset=utf-8";
        for (; any; any = await found.MoveNextAsync())
        {
            await context.Response.Body.WriteAsync(EventReplay.EncodeLine(found.Current), context.RequestAborted);
        }
    }
}
