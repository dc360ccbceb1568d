using System.Text.Json;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Messages;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Rooms;

/// <summary>
/// What the server writes: <c>POST /api/admin/rooms/{room}/messages</c> and <c>POST /api/admin/dms/{user}/messages</c> with <c>from</c>, which
/// need no membership, and <c>DELETE /api/admin/rooms/{room}/messages/{seq}</c>. Without <c>from</c> it is <see cref="UserIds.System"/>.
/// </summary>
internal static class ServerMessages
{
    public static void MapServerMessages(this WebApplication app)
    {
        var server = app.MapGroup("/api/admin").RequireAuthorization(ChatPolicies.Admin);
        server.MapPost("/rooms/{room}/messages", SendToRoomAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
        server.MapPost("/dms/{user}/messages", SendToUserAsync).WithMetadata(new RequestSizeLimitAttribute(RoomBody.MostBytes));
        server.MapDelete("/rooms/{room}/messages/{seq:long}", DeleteAsync);
    }

    private static async Task SendToRoomAsync(
        string room, HttpContext context, RoomLog rooms, NewEvents events, IConversationLog log, IOptions<SocketOptions> options,
        IOptions<ConversationLogOptions> logOptions)
    {
        if (!RoomIds.IsValid(room))
        {
            await context.WriteBadRequestAsync($"room must be {RoomIds.Rule}");
            return;
        }
        if (await ReadAsync(context, "x", options.Value.Frames) is not var (from, frame))
        {
            return;
        }
        try
        {
            if (!(await rooms.ReadAsync(room, "", context.RequestAborted)).Standing.Exists)
            {
                await context.WriteNoRoomAsync();
                return;
            }
        }
        catch (LogUnavailableException)
        {
            await context.WriteUnavailableAsync();
            return;
        }

        var e = events.Create(EventKind.Room, ConversationKey.Room(room), from, frame.Nonce!, frame.Content);
        await AppendAsync(context, log, e, logOptions.Value.RetryAfterMilliseconds, room, to: null);
    }

    private static async Task SendToUserAsync(
        string user, HttpContext context, NewEvents events, IConversationLog log, IOptions<SocketOptions> options,
        IOptions<ConversationLogOptions> logOptions)
    {
        if (!UserIds.IsValid(user))
        {
            await context.WriteBadRequestAsync($"user must be {UserIds.Rule}");
            return;
        }
        if (await ReadAsync(context, "x", options.Value.Frames) is not var (from, frame))
        {
            return;
        }

        var e = events.Create(EventKind.Dm, ConversationKey.Direct(from, user), from, frame.Nonce!, frame.Content);
        await AppendAsync(context, log, e, logOptions.Value.RetryAfterMilliseconds, room: null, user);
    }

    private static async Task DeleteAsync(
        string room, long seq, HttpContext context, Revisions revisions, NewEvents events, IOptions<ConversationLogOptions> logOptions)
    {
        if (!RoomIds.IsValid(room) || seq < 1)
        {
            await context.WriteBadRequestAsync($"room must be {RoomIds.Rule}, seq at least 1");
            return;
        }

        // One nonce for each message: the server deletes it once, however often it is asked.
        var e = events.Create(
            EventKind.Delete, ConversationKey.Room(room), UserIds.System, FormattableString.Invariant($"delete-{seq}"), target: seq);
        var result = await revisions.AppendAsync(
            e, logOptions.Value.RetryAfterMilliseconds, context.RequestAborted, RoomAuthority.Server);
        AppendSpans.End(e, result);
        switch (result.Status)
        {
            case AppendStatus.Accepted or AppendStatus.Duplicate:
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case AppendStatus.Unavailable:
                await context.WriteUnavailableAsync();
                break;
            default:
                await context.WriteProblemAsync(StatusCodes.Status404NotFound, "there is no such message", ErrorCodes.NotFound);
                break;
        }
    }

    private static async Task AppendAsync(HttpContext context, IConversationLog log, ConversationEvent e, int retryAfter, string? room, string? to)
    {
        var result = await log.AppendAsync(e, retryAfter, authority: RoomAuthority.Server);
        AppendSpans.End(e, result);
        switch (result.Status)
        {
            case AppendStatus.Accepted or AppendStatus.Duplicate:
                await context.WriteAckAsync(e.Nonce, result, room, to);
                break;
            case AppendStatus.NoSuchRoom:
                await context.WriteNoRoomAsync();
                break;
            default:
                await context.WriteUnavailableAsync();
                break;
        }
    }

    /// <summary>The sender and the message; null: it was refused.</summary>
    private static async Task<(string From, ClientFrame Frame)?> ReadAsync(HttpContext context, string room, FrameLimits limits)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        var body = buffer.ToArray();
        if (!MessageBody.TryRead(body, room, limits, out var frame, out var error))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, error.Message, error.Code);
            return null;
        }

        using var document = JsonDocument.Parse(body);
        var from = UserIds.System;
        if (document.RootElement.TryGetProperty("from", out var named) && named.ValueKind != JsonValueKind.Null)
        {
            from = named.ValueKind == JsonValueKind.String ? named.GetString()! : "";
        }

        if (!UserIds.IsSender(from))
        {
            await context.WriteBadRequestAsync($"from must be {UserIds.Rule}, or {UserIds.System}");
            return null;
        }

        return (from, frame);
    }
}
