using System.Globalization;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Writing;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// <c>GET /api/admin/webhooks/dead-letters?after=&amp;limit=</c> and <c>POST /api/admin/webhooks/dead-letters/{id}/replay</c>, for the scope
/// <c>chat:admin</c>.
/// </summary>
internal static class WebhookEndpoints
{
    private const string IdPrefix = "msg_";
    private const int DefaultLimit = 50;
    private const int MostLetters = 200;

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var letters = routes.MapGroup("/api/admin/webhooks/dead-letters").RequireAuthorization(ChatPolicies.Admin).LimitCalls();
        letters.MapGet("", ListAsync);
        letters.MapPost("/{id}/replay", ReplayAsync);
    }

    private static async Task ListAsync(HttpContext context, WebhookLetters letters, string? after, string? limit)
    {
        var count = DefaultLimit;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 1))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "limit must be a whole number, 1 or more", ErrorCodes.BadRequest);
            return;
        }

        if (!TryReadCursor(after, out var place))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "after must be the next of a page", ErrorCodes.BadRequest);
            return;
        }

        List<WebhookLetter> page;
        try
        {
            page = await letters.ListAsync(place, Math.Min(count, MostLetters), context.RequestAborted);
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }

        await using var answer = new JsonAnswer(context);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("items"u8);
        foreach (var letter in page)
        {
            Write(answer, letter);
        }

        answer.Json.WriteEndArray();
        answer.Json.WriteString("next"u8, page.Count == Math.Min(count, MostLetters) ? CursorOf(page[^1]) : null);
        answer.Json.WriteEndObject();
    }

    private static void Write(JsonAnswer answer, WebhookLetter letter)
    {
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteString("id"u8, $"{IdPrefix}{letter.Id:N}");
        json.WriteNumber("webhook"u8, letter.Webhook);
        if (ConversationKey.TryParse(letter.Lane, out var conversation))
        {
            if (conversation.IsRoom)
            {
                json.WriteString("room"u8, conversation.RoomId);
            }
            else
            {
                json.WriteStartArray("users"u8);
                json.WriteStringValue(conversation.Users.First);
                json.WriteStringValue(conversation.Users.Second);
                json.WriteEndArray();
            }
        }

        json.WriteStartArray("types"u8);
        foreach (var kind in letter.Kinds.Distinct())
        {
            json.WriteStringValue(WebhookKinds.NameOf(kind));
        }

        json.WriteEndArray();
        json.WriteNumber("events"u8, letter.Kinds.Count);
        json.WriteNumber("first"u8, letter.FirstSeq);
        json.WriteNumber("last"u8, letter.LastSeq);
        json.WriteNumber("attempts"u8, letter.Attempts);
        json.WriteString("error"u8, letter.Error);
        json.WriteString("timestamp"u8, Timestamps.ToText(letter.DeadAt));
        json.WriteEndObject();
    }

    private static async Task ReplayAsync(HttpContext context, WebhookLetters letters, string id)
    {
        try
        {
            if (TryReadId(id, out var letter) && await letters.ReplayAsync(letter, context.RequestAborted))
            {
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                return;
            }
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }

        await context.WriteProblemAsync(StatusCodes.Status404NotFound, "There is no dead letter with this id.", ErrorCodes.NotFound);
    }

    private static bool TryReadId(string text, out Guid id)
    {
        id = Guid.Empty;
        return text.StartsWith(IdPrefix, StringComparison.Ordinal) && Guid.TryParseExact(text[IdPrefix.Length..], "N", out id);
    }

    private static string CursorOf(WebhookLetter letter) =>
        string.Create(CultureInfo.InvariantCulture, $"{letter.DeadAt.UtcTicks}-{letter.Id:N}");

    private static bool TryReadCursor(string? text, out WebhookLetter? place)
    {
        place = null;
        if (text is null)
        {
            return true;
        }

        var dash = text.IndexOf('-');
        if (dash < 0 || !long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks > DateTimeOffset.MaxValue.UtcTicks || !Guid.TryParseExact(text.AsSpan(dash + 1), "N", out var id))
        {
            return false;
        }

        place = new WebhookLetter(id, 0, "", [], 0, 0, 0, "", new DateTimeOffset(ticks, TimeSpan.Zero));
        return true;
    }
}
