using System.Globalization;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.History;

/// <summary><c>GET /api/rooms/{room}/messages</c> and <c>GET /api/dms/{user}/messages</c> (protocol §5).</summary>
internal static class HistoryEndpoints
{
    public static IHostApplicationBuilder AddHistory(this IHostApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<HistoryOptions>(HistoryOptions.Section);
        builder.Services.AddSingleton<EventTable>();
        builder.Services.AddSingleton<HistoryReader>();
        return builder;
    }

    public static void MapHistory(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/rooms/{room}/messages", (HttpContext context, string room) =>
            AnswerAsync(context, room, _ => ConversationKey.Room(room))).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/dms/{user}/messages", (HttpContext context, string user) =>
            AnswerAsync(context, user, caller => ConversationKey.Direct(caller, user))).RequireAuthorization().LimitCalls();
    }

    private static Task AnswerAsync(HttpContext context, string id, Func<string, ConversationKey> conversation)
    {
        if (!Identifiers.IsValid(id))
        {
            return RefuseAsync(context, "This is not a valid id.");
        }

        var caller = ChatUser.From(context.User).Id;
        return AnswerAsync(context, conversation(caller), caller);
    }

    private static async Task AnswerAsync(HttpContext context, ConversationKey conversation, string caller)
    {
        var query = context.Request.Query;
        if (!PageRequest.TryParse(query["before"], query["after"], query["limit"], out var page, out var problem))
        {
            await RefuseAsync(context, problem);
            return;
        }
        var reader = context.RequestServices.GetRequiredService<HistoryReader>();
        if (await reader.ReadAsync(conversation, page, context.RequestAborted) is { } history)
        {
            await WriteAsync(context, history, caller);
        }
        else
        {
            await context.WriteUnavailableAsync();
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
        foreach (var item in page.Items)
        {
            item.Write(json, caller);
            await answer.SendAsync();
        }

        json.WriteEndArray();
        json.WriteString("epoch"u8, page.Epoch);
        json.WriteNumber("head"u8, page.Head);
        json.WriteString("next"u8, page.Next?.ToString(CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }
}
