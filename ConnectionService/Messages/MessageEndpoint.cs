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
        if (await MessageBody.ReadAsync(context, options.Value.FrameBytes) is not { } body)
        {
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

        // The log knows nothing of tokens: one that opens a private room shows it, and its bearer is told that they are no member.
        if (result.Status == AppendStatus.NoSuchRoom && rights is not null
            && await IsSeenAsync(roomLog, room, user.Id, rights, context.RequestAborted))
        {
            result = result with { Status = AppendStatus.NotMember };
        }

        await context.WriteSentAsync(e, result);
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
}
