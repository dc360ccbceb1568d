using System.Globalization;
using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Rooms;

/// <summary>
/// <c>GET /api/rooms</c>, <c>/api/rooms/{room}</c>, <c>/api/rooms/{room}/bans</c> (product §2) and the server's <c>GET /api/admin/rooms</c> and
/// <c>…/bans</c>. PostgreSQL finds rooms; what they are, and whether the caller sees them, is asked of Redis.
/// </summary>
internal static class RoomEndpoints
{
    public static IHostApplicationBuilder AddRooms(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RoomTable>();
        builder.Services.AddHostedService<RoomWiper>();
        return builder;
    }

    public static void MapRooms(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/rooms", (HttpContext context, IConnectionMultiplexer redis, RoomTable table) =>
            ListAsync(context, redis, table, isServer: false)).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/admin/rooms", (HttpContext context, IConnectionMultiplexer redis, RoomTable table) =>
            ListAsync(context, redis, table, isServer: true)).RequireAuthorization(ChatPolicies.Admin).LimitCalls();
        routes.MapGet("/api/rooms/{room}", ShowAsync).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/rooms/{room}/bans", BansAsync).RequireAuthorization().LimitCalls();
        routes.MapGet("/api/admin/rooms/{room}/bans", BansForServerAsync).RequireAuthorization(ChatPolicies.Admin).LimitCalls();
    }

    private static async Task ListAsync(HttpContext context, IConnectionMultiplexer redis, RoomTable table, bool isServer)
    {
        var query = context.Request.Query;
        string? after = query["after"];
        if (!RoomQuery.TryRead(query["query"], out var words) || (after is not null && !RoomIds.IsValid(after)))
        {
            await context.WriteProblemAsync(
                StatusCodes.Status400BadRequest, "query must have a word and at most 100 characters, after must be a room id.", ErrorCodes.BadRequest);
            return;
        }
        if (!PageRequest.TryParseLimit(query["limit"], out var limit, out var problem))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, problem, ErrorCodes.BadRequest);
            return;
        }

        var user = ChatUser.From(context.User);
        var found = new List<(string Room, RoomView View)>();
        string? next;
        try
        {
            // Who may see private rooms by their token finds them among all; the others among those that are public or theirs.
            var keys = await table.ListAsync(
                after ?? "", words, limit + 1, isServer || user.Rooms is not null ? null : user.Id, context.RequestAborted);
            next = keys.Count > limit ? keys[limit - 1].RoomId : null;
            var views = await Task.WhenAll(keys.Take(limit).Select(room =>
                StandingReader.ReadAsync(redis.GetDatabase(), room, isServer ? "" : user.Id)));
            if (views.Contains(null))
            {
                await context.WriteUnavailableAsync();
                return;
            }

            foreach (var (room, view) in keys.Zip(views))
            {
                if (isServer ? view!.Standing.Exists : view!.May(user.RightsIn(room.RoomId), RoomAction.See) == RoomVerdict.Allowed)
                {
                    found.Add((room.RoomId, view!));
                }
            }
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }

        await using var answer = new JsonAnswer(context);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("items"u8);
        foreach (var (room, view) in found)
        {
            view.Write(answer.Json, room);
            await answer.SendAsync();
        }

        answer.Json.WriteEndArray();
        answer.Json.WriteString("next"u8, next);
        answer.Json.WriteEndObject();
    }

    private static async Task ShowAsync(HttpContext context, string room, IConnectionMultiplexer redis)
    {
        if (await context.AdmitAsync(redis, room, RoomAction.See) is { } view)
        {
            await using var answer = new JsonAnswer(context);
            view.Write(answer.Json, room);
        }
    }

    private static async Task BansAsync(HttpContext context, string room, IConnectionMultiplexer redis, TimeProvider time)
    {
        if (await context.AdmitAsync(redis, room, RoomAction.Moderate) is not null)
        {
            await WriteBansAsync(context, room, redis, time);
        }
    }

    private static async Task BansForServerAsync(HttpContext context, string room, IConnectionMultiplexer redis, TimeProvider time)
    {
        if (!RoomIds.IsValid(room))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, $"room must be {RoomIds.Rule}.", ErrorCodes.BadRequest);
            return;
        }

        await WriteBansAsync(context, room, redis, time);
    }

    private static async Task WriteBansAsync(HttpContext context, string room, IConnectionMultiplexer redis, TimeProvider time)
    {
        const string prefix = "ban:";
        var bans = new SortedDictionary<string, (long Until, string By, string Reason)>(StringComparer.Ordinal);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        try
        {
            var rules = RedisKeys.Rules(ConversationKey.Room(room));
            await foreach (var (field, value) in RedisScan.PairsAsync(redis.GetDatabase(), rules, prefix + "*", context.RequestAborted))
            {
                var parts = value.ToString().Split(' ', 3);
                var until = long.Parse(parts[0], CultureInfo.InvariantCulture);
                if (until == 0 || until > now)
                {
                    bans[field.ToString()[prefix.Length..]] = (until, parts[1], parts[2]);
                }
            }
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }

        await using var answer = new JsonAnswer(context);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("items"u8);
        foreach (var (user, (until, by, reason)) in bans)
        {
            Write(answer.Json, user, until, by, reason);
            await answer.SendAsync();
        }

        answer.Json.WriteEndArray();
        answer.Json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string user, long until, string by, string reason)
    {
        json.WriteStartObject();
        json.WriteString("user"u8, user);
        if (until != 0)
        {
            json.WriteString("until"u8, Timestamps.ToText(until));
        }

        if (reason.Length > 0)
        {
            json.WritePropertyName("reason"u8);
            json.WriteRawValue(reason, skipInputValidation: true);
        }

        json.WriteString("by"u8, by);
        json.WriteEndObject();
    }
}
