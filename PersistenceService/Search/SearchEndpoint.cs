using System.Diagnostics.CodeAnalysis;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AspireChat.PersistenceService.Search;

/// <summary><c>GET /api/search</c>: messages that the caller may read, by their words.</summary>
internal static class SearchEndpoint
{
    private const int LongestQuery = 200;

    public static IHostApplicationBuilder AddSearch(this IHostApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<SearchOptions>(SearchOptions.Section);
        builder.Services.AddSingleton<SearchMetrics>();
        builder.Services.AddSingleton<SearchIndex>();
        builder.Services.AddSingleton<SearchTable>();
        builder.Services.AddSingleton<SearchReader>();
        builder.Services.AddHostedService<SearchIndexer>();
        return builder;
    }

    public static void MapSearch(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/search", SearchAsync).RequireAuthorization().LimitCalls();

    private static async Task SearchAsync(
        HttpContext context, SearchReader reader, SearchMetrics metrics, IOptions<SearchOptions> options)
    {
        if (!TryParse(context.Request.Query, ChatUser.From(context.User), out var query, out var problem))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }
        try
        {
            if (await reader.ReadAsync(query, context.RequestAborted) is { } page)
            {
                await WriteAsync(context, page, query.Caller);
                return;
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            metrics.TooSlow();
            await context.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable, "The search took too long; narrow it, or try again.", ErrorCodes.Unavailable,
                options.Value.RetryAfter);
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted && (DatabaseFaults.Is(e) || RedisFaults.IsAwayOrRefused(e)))
        {
            // Answered below.
        }
        await context.WriteUnavailableAsync();
    }

    private static bool TryParse(
        IQueryCollection parameters, ChatUser caller, [NotNullWhen(true)] out SearchQuery? query, [NotNullWhen(false)] out string? problem)
    {
        query = null;
        string? text = parameters["q"], room = parameters["room"], to = parameters["to"], from = parameters["from"], before = parameters["before"];
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestQuery)
        {
            problem = $"q must be 1 to {LongestQuery} characters.";
            return false;
        }
        if (room is not null && to is not null)
        {
            problem = "room and to exclude each other.";
            return false;
        }
        if ((room is not null && !RoomIds.IsValid(room)) || (to is not null && !UserIds.IsSender(to))
            || (from is not null && !UserIds.IsSender(from)))
        {
            problem = "room, to and from must be valid ids.";
            return false;
        }
        ConversationKey? conversation = room is not null ? ConversationKey.Room(room)
            : to is not null ? ConversationKey.Direct(caller.Id, to)
            : null;
        var start = SearchCursor.Start;
        if (before is not null && (!SearchCursor.TryParse(before, out start) || !IsOf(start, conversation)))
        {
            problem = "before must be the next of another answer to the same search.";
            return false;
        }
        if (!PageRequest.TryParseLimit(parameters["limit"], out var limit, out problem))
        {
            return false;
        }

        query = new SearchQuery(SearchWords.Of(text), caller.Id, conversation, from, caller.Rooms?.With(RoomRights.Read).ToArray(), start, limit);
        return true;
    }

    /// <summary>A place in one conversation has no time.</summary>
    private static bool IsOf(SearchCursor place, ConversationKey? conversation) =>
        conversation is { } one ? place.Moment == 0 && place.Conversation == one.Value : place.Moment > 0;

    private static async Task WriteAsync(HttpContext context, SearchPage page, string caller)
    {
        await using var answer = new JsonAnswer(context);
        var json = answer.Json;
        var users = context.RequestServices.GetRequiredService<NamedUsers>();
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        foreach (var item in page.Items)
        {
            users.Add(item);
            item.Write(json, caller);
            await answer.SendAsync();
        }

        json.WriteEndArray();
        await users.WriteAsync(json);
        json.WriteString("next"u8, page.Next?.ToString());
        json.WriteEndObject();
    }
}
