using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using StackExchange.Redis;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
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
        routes.MapGet("/api/conversations", ListAsync).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/rooms/{room}/members", MembersAsync).RequireAuthorization().LimitCalls();
    }

    private static async Task ListAsync(HttpContext context, ConversationList list)
    {
        var user = ChatUser.From(context.User);
        var caller = user.Id;
        var start = ConversationCursor.Start;
        string? after = context.Request.Query["after"];
        if (after is not null && !ConversationCursor.TryParse(after, out start))
        {
            await context.WriteProblemAsync(
                StatusCodes.Status400BadRequest, "after must be the next of another answer.", ErrorCodes.BadRequest);
            return;
        }
        // Whoever names no limit means all of them, as far as they fit.
        if (!PageRequest.TryParseLimit(
            (string?)context.Request.Query["limit"] ?? PageRequest.LargestPageText, out var limit, out var problem))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }
        if (await list.ReadAsync(caller, start, limit, context.RequestAborted) is not { } page)
        {
            await context.WriteUnavailableAsync();
            return;
        }
        await using var states = list.ReadLastAsync(page, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        bool any;
        try
        {
            any = await states.MoveNextAsync();
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        await using var answer = new JsonAnswer(context);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("items"u8);
        var users = context.RequestServices.GetRequiredService<NamedUsers>();
        for (; any; any = await states.MoveNextAsync())
        {
            // What the token does not grant is as if its bearer were no member.
            if (states.Current.Conversation.IsRoom && user.RightsIn(states.Current.Conversation.RoomId) is { } rights
                && (rights & (RoomRules.Read | RoomRules.Join)) == 0)
            {
                continue;
            }

            Write(answer.Json, states.Current, caller);
            AddUsers(users, states.Current, caller);
            await answer.SendAsync();
        }

        answer.Json.WriteEndArray();
        await users.WriteAsync(answer.Json);
        answer.Json.WriteString("next"u8, page.Next?.ToString());
        answer.Json.WriteEndObject();
    }

    private static void AddUsers(NamedUsers users, ConversationState state, string caller)
    {
        if (!state.Conversation.IsRoom)
        {
            users.Add(state.Conversation.Other(caller));
        }

        if (state.Last is { } last)
        {
            users.Add(last);
        }
    }

    private static void Write(Utf8JsonWriter json, ConversationState state, string caller)
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
        json.WriteNumber("mentions"u8, state.Mentions);
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

    private static async Task MembersAsync(HttpContext context, string room, RoomMembers members, IConnectionMultiplexer redis)
    {
        string? after = context.Request.Query["after"];
        if (!RoomIds.IsValid(room) || (after is not null && !UserIds.IsValid(after)))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, "room and after must be valid ids.", ErrorCodes.BadRequest);
            return;
        }
        if (!PageRequest.TryParseLimit(context.Request.Query["limit"], out var limit, out var problem))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }
        if (await context.AdmitAsync(redis, room, RoomAction.Read) is null)
        {
            return;
        }
        if (await members.ReadAsync(room, after ?? "", limit, context.RequestAborted) is not var (page, next))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        await using var answer = new JsonAnswer(context);
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        var users = context.RequestServices.GetRequiredService<NamedUsers>();
        foreach (var member in page)
        {
            users.Add(member.User);
            json.WriteStartObject();
            json.WriteString("user"u8, member.User);
            json.WriteBoolean("online"u8, member.Online);
            json.WriteNumber("read"u8, member.Read);
            json.WriteString("role"u8, member.Role);
            json.WriteEndObject();
            await answer.SendAsync();
        }
        json.WriteEndArray();
        await users.WriteAsync(json);
        json.WriteString("next"u8, next);
        json.WriteEndObject();
    }
}
