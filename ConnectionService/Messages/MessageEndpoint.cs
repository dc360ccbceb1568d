using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Hooks;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Profiles;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Messages;

/// <summary>
/// <c>POST /api/rooms/{room}/messages</c>: sending without a socket, for members; same log, same nonces, same rate limit.
/// </summary>
internal static class MessageEndpoint
{
    public static void MapMessages(this WebApplication app) => app.MapPost("/api/rooms/{room}/messages", SendAsync).RequireAuthorization();

    private static async Task SendAsync(
        string room, HttpContext context, IOptions<SocketOptions> options, IOptions<ConversationLogOptions> logOptions, UserBudgets budgets,
        NewEvents events, IConversationLog log, UserProfiles profiles, RoomLog roomLog, [FromServices] BeforeSendHook? hook = null)
    {
        if (!RoomIds.IsValid(room))
        {
            await RefuseAsync(context, 400, $"room must be {RoomIds.Rule}", ErrorCodes.BadRequest);
            return;
        }
        var (body, tooLarge) = await ReadBodyAsync(context, options.Value.FrameBytes);
        if (tooLarge)
        {
            await RefuseAsync(context, 413, $"a message has at most {options.Value.FrameBytes} bytes", ErrorCodes.TooLarge);
            return;
        }
        if (!MessageBody.TryRead(body, room, options.Value.Frames, out var frame, out var error))
        {
            await RefuseAsync(context, 400, error.Message, error.Code);
            return;
        }

        var user = ChatUser.From(context.User);
        var rights = (int?)user.Rooms?.For(room);
        if (rights is not null && (rights & RoomRules.Send) == 0)
        {
            var isSeen = await IsSeenAsync(roomLog, room, user.Id, rights, context.RequestAborted);
            await (isSeen
                ? RefuseAsync(context, 403, "your token does not let you send to this room", ErrorCodes.Forbidden)
                : RefuseAsync(context, 404, "there is no such room", ErrorCodes.NotFound));
            return;
        }

        var budget = budgets.Of(user.Id);
        if (!budget.TryTakeEvent(out var retryAfter))
        {
            await RefuseAsync(context, 429, "too many events", ErrorCodes.RateLimited, retryAfter);
            return;
        }
        if (budget.Written.IsSpent(out retryAfter))
        {
            await RefuseAsync(context, 429, FrameHandler.WrittenTooMuch, ErrorCodes.Limit, retryAfter);
            return;
        }
        var e = events.Create(EventKind.Room, ConversationKey.Room(room), user.Id, frame.Nonce!, frame.Content,
            name: await profiles.NameOfAsync(user.Id), details: frame.Details);
        if (hook is not null)
        {
            var verdict = await hook.AskAsync(e, options.Value.Content, context.RequestAborted);
            if (verdict.Decision != HookDecision.Allow)
            {
                await RefuseAsync(context, e, verdict, budget);
                return;
            }

            e = verdict.Event;
        }

        var result = await log.AppendAsync(e, logOptions.Value.RetryAfterMilliseconds, requireMember: true,
            authority: RoomAuthorities.Of(rights));
        AppendSpans.End(e, result);
        if (result.Status is AppendStatus.Duplicate or AppendStatus.Unavailable)
        {
            budget.GiveEventBack();
        }
        else if (result.Status == AppendStatus.Accepted)
        {
            budget.Written.Add(e);
        }

        await AnswerAsync(context, room, e.Nonce, result);
    }

    private static async Task<bool> IsSeenAsync(RoomLog log, string room, string user, int? rights, CancellationToken cancellationToken)
    {
        try
        {
            return (await log.ReadAsync(room, user, cancellationToken)).May(rights, RoomAction.Send) != RoomVerdict.NotFound;
        }
        catch (LogUnavailableException)
        {
            return false;
        }
    }

    private static async Task AnswerAsync(HttpContext context, string room, string nonce, AppendResult result)
    {
        switch (result.Status)
        {
            case AppendStatus.Accepted or AppendStatus.Duplicate:
                await context.WriteAckAsync(nonce, result, room, to: null);
                break;
            case AppendStatus.NotMember:
                await RefuseAsync(context, 403, $"only members may send to room {room}", ErrorCodes.Forbidden);
                break;
            case AppendStatus.NoSuchTarget:
                await RefuseAsync(context, 404, "replyTo: there is no such event", ErrorCodes.NotFound);
                break;
            case AppendStatus.Forbidden:
                await RefuseAsync(context, 403, $"you may not send to room {room}", ErrorCodes.Forbidden);
                break;
            case AppendStatus.NoSuchRoom:
                await RefuseAsync(context, 404, "there is no such room", ErrorCodes.NotFound);
                break;
            default:
                var wait = TimeSpan.FromMilliseconds(result.RetryAfter);
                await RefuseAsync(context, 503, "the log can't be reached; nothing was accepted", ErrorCodes.Unavailable, wait);
                break;
        }
    }

    private static Task RefuseAsync(HttpContext context, ConversationEvent e, HookVerdict verdict, UserBudget budget)
    {
        AppendSpans.End(e, AppendResult.Refused(AppendStatus.Denied, ""));
        if (verdict.Decision != HookDecision.Busy)
        {
            return RefuseAsync(context, 403, verdict.Reason, ErrorCodes.Forbidden);
        }

        budget.GiveEventBack();
        return RefuseAsync(context, 503, FrameHandler.TooManyChecks, ErrorCodes.Unavailable, FrameHandler.ChecksWait);
    }

    private static Task RefuseAsync(HttpContext context, int status, string detail, string code, TimeSpan? retryAfter = null) =>
        context.WriteProblemAsync(status, detail, code, retryAfter);

    /// <summary>The body, unless it is longer than <paramref name="longest"/>; read no further than needed to know.</summary>
    private static async Task<(ReadOnlyMemory<byte> Body, bool TooLarge)> ReadBodyAsync(HttpContext context, int longest)
    {
        var buffer = new byte[Math.Min(longest, 4_096) + 1];
        var length = 0;
        while (true)
        {
            var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted);
            length += read;
            if (read == 0)
            {
                return (buffer.AsMemory(0, length), false);
            }

            if (length > longest)
            {
                return (default, true);
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(2 * buffer.Length, longest + 1));
            }
        }
    }
}

/// <summary>
/// Reads <c>{"content","nonce","replyTo"?,"mentions"?,"meta"?}</c>: the <c>room</c> frame without what the address says, so that one set of rules holds for both ways of
/// sending.
/// </summary>
internal static class MessageBody
{
    public static bool TryRead(
        ReadOnlyMemory<byte> body, string room, FrameLimits limits, out ClientFrame frame, [NotNullWhen(false)] out FrameError? error)
    {
        var end = body.Span.TrimEnd(" \t\r\n"u8);
        if (end.IsEmpty || end[^1] != '}' || !Utf8.IsValid(end))
        {
            frame = default;
            error = new FrameError(ErrorCodes.BadRequest, "the body is not one JSON object");
            return false;
        }
        // Of a repeated field the last counts: type and room of the address win over whatever the body says.
        var inner = end[..^1].TrimEnd(" \t\r\n"u8);
        var separator = inner.IsEmpty || inner[^1] == '{' ? "" : ",";
        byte[] whole = [.. inner, .. Encoding.ASCII.GetBytes($"{separator}\"type\":\"room\",\"room\":\"{room}\"}}")];
        return ClientFrameReader.TryRead(whole, limits, out frame, out error);
    }
}
