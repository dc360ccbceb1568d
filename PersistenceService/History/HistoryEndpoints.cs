using System.Globalization;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using StackExchange.Redis;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.History;

/// <summary><c>GET /api/rooms/{room}/messages</c> and <c>GET /api/dms/{user}/messages</c> (protocol §5).</summary>
internal static class HistoryEndpoints
{
    private const string WrongUser = $"user must be {UserIds.Rule}.";

    public static IHostApplicationBuilder AddHistory(this IHostApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<HistoryOptions>(HistoryOptions.Section);
        builder.Services.AddSingleton<EventTable>();
        builder.Services.AddSingleton<HistoryReader>();
        builder.Services.AddTransient<NamedUsers>();
        return builder;
    }

    public static void MapHistory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/rooms/{room}/messages", async (HttpContext context, string room, IConnectionMultiplexer redis) =>
        {
            // A wrong call is refused whatever the room is.
            var query = context.Request.Query;
            if (RoomIds.IsValid(room) && !PageRequest.TryParse(query["before"], query["after"], query["limit"], out _, out var problem))
            {
                await RefuseAsync(context, problem);
            }
            else if (await context.AdmitAsync(redis, room, RoomAction.Read) is not null)
            {
                await AnswerAsync(context, ConversationKey.Room(room), isSystem: false);
            }
        }).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/dms/{user}/messages", (HttpContext context, string user) =>
            UserIds.IsSender(user)
                ? AnswerAsync(context, ConversationKey.Direct(ChatUser.From(context.User).Id, user), user is UserIds.System)
                : RefuseAsync(context, WrongUser)).RequireAuthorization().LimitCalls();
    }

    /// <param name="isSystem">The server is no user: only where it wrote there is something to read.</param>
    private static async Task AnswerAsync(HttpContext context, ConversationKey conversation, bool isSystem)
    {
        var query = context.Request.Query;
        if (!PageRequest.TryParse(query["before"], query["after"], query["limit"], out var page, out var problem))
        {
            await RefuseAsync(context, problem);
            return;
        }
        var reader = context.RequestServices.GetRequiredService<HistoryReader>();
        if (await reader.ReadAsync(conversation, page, context.RequestAborted) is not { } history)
        {
            await context.WriteUnavailableAsync();
        }
        else if (isSystem && history.Head == 0)
        {
            await RefuseAsync(context, WrongUser);
        }
        else
        {
            await WriteAsync(context, history, ChatUser.From(context.User).Id);
        }
    }

    private static Task RefuseAsync(HttpContext context, string problem) =>
        context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);

    /// <summary>503: nothing can be promised at the moment.</summary>
    public static Task WriteUnavailableAsync(this HttpContext context) => context.WriteProblemAsync(
        StatusCodes.Status503ServiceUnavailable,
        "The history cannot be read at the moment; try again.",
        ErrorCodes.Unavailable,
        context.RequestServices.GetRequiredService<IOptions<HistoryOptions>>().Value.RetryAfter);

    private static async Task WriteAsync(HttpContext context, HistoryPage page, string caller)
    {
        await using var answer = new JsonAnswer(context);
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        var users = context.RequestServices.GetRequiredService<NamedUsers>();
        foreach (var item in page.Items)
        {
            item.Write(json, caller);
            users.Add(item.Event);
            await answer.SendAsync();
        }

        json.WriteEndArray();
        // Senders first: they are the ones that fit in any case.
        foreach (var item in page.Items)
        {
            users.Add(item);
        }

        await users.WriteAsync(json);
        json.WriteString("epoch"u8, page.Epoch);
        json.WriteNumber("head"u8, page.Head);
        json.WriteString("next"u8, page.Next?.ToString(CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }
}
