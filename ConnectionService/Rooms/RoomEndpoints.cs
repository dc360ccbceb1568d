using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Rooms;

/// <summary>
/// The calls that change rooms, for users (<c>/api/rooms/…</c>, by the room's rules) and for the server (<c>/api/admin/rooms/…</c>, which
/// stands above them): one handler for each change.
/// </summary>
internal static class RoomEndpoints
{
    public static IServiceCollection AddRooms(this IServiceCollection services) => services.AddSingleton<RoomChanges>();

    public static void MapRooms(this WebApplication app)
    {
        var users = app.MapGroup("/api/rooms").RequireAuthorization();
        var server = app.MapGroup("/api/admin/rooms").RequireAuthorization(ChatPolicies.Admin);
        users.MapPost("", CreateAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
        server.MapPut("/{room}", PutAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
        server.MapPost("/{room}/members", AddManyAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
        foreach (var group in (RouteGroupBuilder[])[users, server])
        {
            group.MapPatch("/{room}", PatchAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
            group.MapDelete("/{room}", DeleteAsync);
            group.MapPut("/{room}/members/{user}", AddAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
            group.MapDelete("/{room}/members/{user}", (string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
                RemoveAsync(room, user, context, changes, budgets));
            group.MapPut("/{room}/bans/{user}", (string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets, TimeProvider time) =>
                RestrictAsync(MemberOperation.Ban, room, user, context, changes, budgets, time)).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
            group.MapPut("/{room}/mutes/{user}", (string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets, TimeProvider time) =>
                RestrictAsync(MemberOperation.Mute, room, user, context, changes, budgets, time)).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
            group.MapDelete("/{room}/bans/{user}", (string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
                LiftAsync(MemberOperation.Unban, room, user, context, changes, budgets));
            group.MapDelete("/{room}/mutes/{user}", (string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
                LiftAsync(MemberOperation.Unmute, room, user, context, changes, budgets));
        }
    }

    private static Task CreateAsync(HttpContext context, RoomChanges changes, UserBudgets budgets, IOptions<RoomOptions> options) =>
        ChangeAsync(context, budgets, room: null, async user =>
        {
            var body = await RoomBody.ReadAsync(context);
            var room = body.RoomId() ?? $"room-{Guid.NewGuid():N}";
            var (fields, members) = (body.Fields(byServer: false), body.Members() ?? []);
            if (body.Problem is not null)
            {
                await context.WriteBadRequestAsync(body.Problem);
                return;
            }
            if (options.Value.CreatedBy == RoomCreation.Server)
            {
                await context.WriteForbiddenAsync("only the server creates rooms");
                return;
            }

            var actor = ActorOf(user, room);
            if (await changes.SpendCreationAsync(user.Id, context.RequestAborted) is var wait && wait > TimeSpan.Zero)
            {
                await context.WriteProblemAsync(
                    StatusCodes.Status429TooManyRequests, "too many rooms created in this hour", ErrorCodes.Limit, wait);
                return;
            }
            var change = await changes.CreateAsync(actor, room, fields, members, context.RequestAborted);
            if (!await context.TryRefuseAsync(change))
            {
                context.Response.Headers.Location = $"/api/rooms/{room}";
                await context.WriteRoomAsync(StatusCodes.Status201Created, room, await changes.ReadAsync(room, user.Id, context.RequestAborted));
            }
        });

    private static Task PutAsync(string room, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        UpdateAsync(room, context, changes, budgets, create: true);

    private static Task PatchAsync(string room, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        UpdateAsync(room, context, changes, budgets, create: false);

    private static Task UpdateAsync(string room, HttpContext context, RoomChanges changes, UserBudgets budgets, bool create) =>
        ChangeAsync(context, budgets, room, async user =>
        {
            var actor = ActorOf(context, user, room);
            var body = await RoomBody.ReadAsync(context);
            var fields = body.Fields(actor.IsServer);
            if (body.Problem is not null)
            {
                await context.WriteBadRequestAsync(body.Problem);
                return;
            }

            var change = await changes.UpdateAsync(actor, room, fields, create, context.RequestAborted);
            if (!await context.TryRefuseAsync(change))
            {
                var status = change.Outcome == RoomOutcome.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK;
                await context.WriteRoomAsync(
                    status, room, await changes.ReadAsync(room, actor.IsServer ? "" : user.Id, context.RequestAborted));
            }
        });

    private static Task DeleteAsync(string room, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        ChangeAsync(context, budgets, room, async user =>
            await AnswerAsync(context, await changes.DeleteAsync(ActorOf(context, user, room), room, context.RequestAborted)));

    private static Task AddAsync(string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        ChangeAsync(context, budgets, room, user, async caller =>
        {
            var body = await RoomBody.ReadAsync(context);
            var role = body.Role();
            if (body.Problem is not null)
            {
                await context.WriteBadRequestAsync(body.Problem);
                return;
            }

            var change = await changes.ChangeAsync(
                ActorOf(context, caller, room), room, MemberOperation.Add, user, context.RequestAborted, role);
            if (!await context.TryRefuseAsync(change))
            {
                var view = await changes.ReadAsync(room, user, context.RequestAborted);
                await context.WriteJsonAsync(StatusCodes.Status200OK, json =>
                {
                    json.WriteStartObject();
                    json.WriteString("room"u8, room);
                    json.WriteString("user"u8, user);
                    json.WriteString("role"u8, RoomRoles.NameOf(view.Standing.Role));
                    json.WriteEndObject();
                });
            }
        });

    private static Task AddManyAsync(string room, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        ChangeAsync(context, budgets, room, async _ =>
        {
            var body = await RoomBody.ReadAsync(context);
            var (role, members) = (body.Role(), body.Members());
            if (body.Problem is not null || members is null)
            {
                await context.WriteBadRequestAsync(body.Problem ?? "members is missing");
                return;
            }

            var done = await Task.WhenAll(members.Select(user =>
                changes.ChangeAsync(RoomActor.Server, room, MemberOperation.Add, user, context.RequestAborted, role)));
            if (Array.Find(done, change => change.Outcome == RoomOutcome.NotFound) is { Outcome: RoomOutcome.NotFound } missing)
            {
                await context.TryRefuseAsync(missing);
                return;
            }

            await context.WriteJsonAsync(StatusCodes.Status200OK, json =>
            {
                json.WriteStartObject();
                json.WriteStartArray("items"u8);
                foreach (var (user, change) in members.Zip(done))
                {
                    json.WriteStartObject();
                    json.WriteString("user"u8, user);
                    if (change.Outcome is RoomOutcome.Forbidden or RoomOutcome.Full)
                    {
                        json.WriteString("code"u8, change.Outcome == RoomOutcome.Full ? ErrorCodes.Limit : ErrorCodes.Forbidden);
                    }

                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            });
        });

    private static Task RemoveAsync(string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        ChangeAsync(context, budgets, room, user, async caller =>
        {
            var actor = ActorOf(context, caller, room);
            if (actor.IsServer || caller.Id != user)
            {
                await AnswerAsync(context, await changes.ChangeAsync(actor, room, MemberOperation.Remove, user, context.RequestAborted));
                return;
            }

            var view = await changes.ReadAsync(room, user, context.RequestAborted);
            if (view.Standing.Role == RoomRole.None && view.May(actor.Rights, RoomAction.Leave) == RoomVerdict.NotFound)
            {
                await context.WriteNoRoomAsync();
            }
            else if ((await changes.LeaveAsync(room, user, context.RequestAborted)).IsLastOwner)
            {
                await context.WriteLastOwnerAsync();
            }
            else
            {
                context.Response.StatusCode = StatusCodes.Status204NoContent;
            }
        });

    private static Task RestrictAsync(
        MemberOperation operation, string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets, TimeProvider time) =>
        ChangeAsync(context, budgets, room, user, async caller =>
        {
            var body = await RoomBody.ReadAsync(context);
            var (until, reason) = (body.Until(time.GetUtcNow()), operation == MemberOperation.Ban ? body.Reason() : "");
            if (body.Problem is not null)
            {
                await context.WriteBadRequestAsync(body.Problem);
                return;
            }

            var change = await changes.ChangeAsync(
                ActorOf(context, caller, room), room, operation, user, context.RequestAborted, until: until, reason: reason);
            if (!await context.TryRefuseAsync(change))
            {
                await context.WriteJsonAsync(StatusCodes.Status200OK, json =>
                {
                    json.WriteStartObject();
                    json.WriteString("room"u8, room);
                    json.WriteString("user"u8, user);
                    if (until != 0)
                    {
                        json.WriteString("until"u8, Timestamps.ToText(until));
                    }

                    json.WriteEndObject();
                });
            }
        });

    private static Task LiftAsync(
        MemberOperation operation, string room, string user, HttpContext context, RoomChanges changes, UserBudgets budgets) =>
        ChangeAsync(context, budgets, room, user, async caller =>
            await AnswerAsync(context, await changes.ChangeAsync(ActorOf(context, caller, room), room, operation, user, context.RequestAborted)));

    private static async Task AnswerAsync(HttpContext context, RoomChange change)
    {
        if (!await context.TryRefuseAsync(change))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static Task ChangeAsync(HttpContext context, UserBudgets budgets, string room, string user, Func<ChatUser, Task> change) =>
        UserIds.IsValid(user)
            ? ChangeAsync(context, budgets, room, change)
            : context.WriteBadRequestAsync($"user must be {UserIds.Rule}");

    /// <summary>What all changes have in common: the ids, a user's budget, and a log that may be away.</summary>
    private static async Task ChangeAsync(HttpContext context, UserBudgets budgets, string? room, Func<ChatUser, Task> change)
    {
        if (room is not null && !RoomIds.IsValid(room))
        {
            await context.WriteBadRequestAsync($"room must be {RoomIds.Rule}");
            return;
        }

        var user = ChatUser.From(context.User);
        if (!IsServer(context) && !budgets.Of(user.Id).Conversations.TryTake(out var wait))
        {
            await context.WriteProblemAsync(
                StatusCodes.Status429TooManyRequests, "too many changes of rooms", ErrorCodes.RateLimited, wait);
            return;
        }

        try
        {
            await change(user);
        }
        catch (LogUnavailableException)
        {
            await context.WriteUnavailableAsync();
        }
    }

    private static bool IsServer(HttpContext context) => context.Request.Path.StartsWithSegments("/api/admin", StringComparison.OrdinalIgnoreCase);

    private static RoomActor ActorOf(HttpContext context, ChatUser user, string room) =>
        IsServer(context) ? RoomActor.Server : ActorOf(user, room);

    private static RoomActor ActorOf(ChatUser user, string room) => new(user.Id, (int?)user.Rooms?.For(room), IsServer: false);
}
