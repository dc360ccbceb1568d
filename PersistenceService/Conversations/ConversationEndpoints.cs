using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.History;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Conversations;

/// <summary><c>GET /api/conversations</c> and <c>GET /api/rooms/{room}/members</c> (protocol §5).</summary>
internal static class ConversationEndpoints
{
    public static IHostApplicationBuilder AddConversations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ConversationTable>();
        builder.Services.AddSingleton<ConversationList>();
        builder.Services.AddSingleton<RoomMembers>();
        return builder;
    }

    public static void MapConversations(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/conversations", ListAsync).RequireAuthorization();
        routes.MapGet("/api/rooms/{room}/members", MembersAsync).RequireAuthorization();
    }

    private static async Task ListAsync(HttpContext context, ConversationList list)
    {
        var caller = ChatUser.From(context.User).Id;
        if (await list.ReadAsync(caller, context.RequestAborted) is not { } conversations)
        {
            await context.WriteUnavailableAsync();
            return;
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, HistoryEndpoints.JsonOptions);
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        foreach (var state in conversations)
        {
            json.WriteStartObject();
            if (state.Conversation.IsRoom)
            {
                json.WriteString("room"u8, state.Conversation.RoomId);
            }
            else
            {
                json.WriteString("to"u8, state.Conversation.Other(caller));
            }

            json.WriteNumber("head"u8, state.Head);
            json.WriteNumber("read"u8, state.Read);
            json.WriteNumber("unread"u8, state.Unread);
            json.WritePropertyName("last"u8);
            if (state.Last is null)
            {
                json.WriteNullValue();
            }
            else
            {
                state.Last.Write(json, caller);
            }

            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    private static async Task MembersAsync(HttpContext context, string room, RoomMembers members)
    {
        string? after = context.Request.Query["after"];
        if (!Identifiers.IsValid(room) || (after is not null && !Identifiers.IsValid(after)))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "room and after must be valid ids.", ErrorCodes.BadRequest);
            return;
        }
        if (!PageRequest.TryParseLimit(context.Request.Query["limit"], out var limit, out var problem))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }
        if (await members.ReadAsync(room, after ?? "", limit, context.RequestAborted) is not var (page, next))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, HistoryEndpoints.JsonOptions);
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        foreach (var member in page)
        {
            json.WriteStartObject();
            json.WriteString("user"u8, member.User);
            json.WriteBoolean("online"u8, member.Online);
            json.WriteNumber("read"u8, member.Read);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("next"u8, next);
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }
}
