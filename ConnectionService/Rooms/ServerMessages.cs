using System.Text.Json;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Messages;
using AspireChat.ConnectionService.Profiles;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Rooms;

/// <summary>
/// What the server writes: <c>POST /api/admin/rooms/{room}/messages</c> and <c>POST /api/admin/dms/{user}/messages</c> with <c>from</c>, which
/// need no membership, and <c>DELETE /api/admin/rooms/{room}/messages/{seq}</c>. Without <c>from</c> it is <see cref="UserIds.System"/>.
/// </summary>
internal static class ServerMessages
{
    /// <summary>The reader of frames wants a room. Where the message goes is in the address.</summary>
    private const string AnyRoom = "x";

    public static void MapServerMessages(this WebApplication app)
    {
        var server = app.MapGroup("/api/admin").RequireAuthorization(ChatPolicies.Admin);
        server.MapPost("/rooms/{room}/messages", SendToRoomAsync);
        server.MapPost("/dms/{user}/messages", SendToUserAsync);
        server.MapDelete("/rooms/{room}/messages/{seq:long}", DeleteAsync);
    }

    private static async Task SendToRoomAsync(
        string room, HttpContext context, RoomLog rooms, NewEvents events, IConversationLog log, UserProfiles profiles,
        IOptions<SocketOptions> options, IOptions<ConversationLogOptions> logOptions)
    {
        if (!RoomIds.IsValid(room))
        {
            await context.WriteBadRequestAsync($"room must be {RoomIds.Rule}");
            return;
        }
        if (await ReadAsync(context, options.Value) is not var (from, frame))
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

        var e = events.Create(EventKind.Room, ConversationKey.Room(room), from, frame.Nonce!, frame.Content,
            name: await NameOfAsync(profiles, from), details: frame.Details);
        await AppendAsync(context, log, e, logOptions.Value.RetryAfterMilliseconds);
    }

    private static async Task SendToUserAsync(
        string user, HttpContext context, NewEvents events, IConversationLog log, UserProfiles profiles, IOptions<SocketOptions> options,
        IOptions<ConversationLogOptions> logOptions)
    {
        if (!UserIds.IsValid(user))
        {
            await context.WriteBadRequestAsync($"user must be {UserIds.Rule}");
            return;
        }
        if (await ReadAsync(context, options.Value) is not var (from, frame))
        {
            return;
        }

        var e = events.Create(EventKind.Dm, ConversationKey.Direct(from, user), from, frame.Nonce!, frame.Content,
            name: await NameOfAsync(profiles, from), details: frame.Details);
        await AppendAsync(context, log, e, logOptions.Value.RetryAfterMilliseconds);
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
        if (!await context.TryRefuseAsync(e, result))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static async Task AppendAsync(HttpContext context, IConversationLog log, ConversationEvent e, int retryAfter)
    {
        var result = await log.AppendAsync(e, retryAfter, authority: RoomAuthority.Server);
        AppendSpans.End(e, result);
        await context.WriteSentAsync(e, result);
    }

    /// <summary>How the sender is shown, as in what users send. The server itself has no profile.</summary>
    private static async Task<string?> NameOfAsync(UserProfiles profiles, string from) =>
        from == UserIds.System ? null : await profiles.NameOfAsync(from);

    /// <summary>The sender and the message; null: it was refused.</summary>
    private static async Task<(string From, ClientFrame Frame)?> ReadAsync(HttpContext context, SocketOptions options)
    {
        if (await MessageBody.ReadAsync(context, options.FrameBytes) is not { } body)
        {
            return null;
        }
        if (!MessageBody.TryRead(body, AnyRoom, options.Frames, out var frame, out var error))
        {
            await context.WriteProblemAsync(StatusCodes.Status400BadRequest, error.Message, error.Code);
            return null;
        }

        using var document = JsonDocument.Parse(body);
        var fields = new RoomBody(document.RootElement);
        fields.Text("from", UserIds.MaxLength, out var from);
        from ??= UserIds.System;
        if (fields.Problem is not null || !UserIds.IsSender(from))
        {
            await context.WriteBadRequestAsync($"from must be {UserIds.Rule}, or {UserIds.System}");
            return null;
        }

        return (from, frame);
    }
}
