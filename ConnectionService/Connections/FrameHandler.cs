using AspireChat.ConnectionService.Hooks;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Profiles;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// Does what a client's frames ask for, one at a time, in the order sent. Most of it is posting to a hub or to the log; the answer comes
/// from there. Not thread-safe.
/// </summary>
internal sealed class FrameHandler(
    Connection connection,
    EventIntake intake,
    UserBudget budget,
    NewEvents events,
    ReadCursors cursors,
    HubDirectory hubs,
    IPresenceReporter presence,
    SignalPublisher signals,
    UserTokenValidator tokens,
    UserProfiles profiles,
    SocketMetrics metrics,
    SocketOptions options,
    TimeProvider time,
    BeforeSendHook? hook = null)
{
    /// <summary>The error of a user who wrote as much in a day as they may.</summary>
    public const string WrittenTooMuch = "you wrote as much as you may in a day";

    /// <summary>The error of an event that cannot be checked now because too many are.</summary>
    public const string TooManyChecks = "too many events wait for the check before sending; nothing was accepted";

    /// <summary>What a client waits after that error.</summary>
    public static readonly TimeSpan ChecksWait = TimeSpan.FromSeconds(1);
    /// <summary>Milliseconds until a token that could not be verified is worth another try.</summary>
    private const int UnknownRetryAfter = 1_000;

    private readonly TokenBucket _refused = new(options.RefusedPerSecond, options.RefusedBurst, time);
    private readonly TokenBucket _signals = new(options.SignalsPerSecond, options.SignalBurst, time);

    /// <summary>Where the connection wrote last and most likely writes next: a conversation's key is made once, not per frame.</summary>
    private (string? Room, string? To, ConversationKey Key) _last;

    public ValueTask HandleAsync(in ClientFrame frame, CancellationToken cancellationToken)
    {
        metrics.Received(frame.Type);
        switch (frame.Type)
        {
            case ClientFrameType.Join:
                return JoinAsync(frame.Room!, frame.Since, frame.Epoch, frame.Ref, cancellationToken);
            case ClientFrameType.Leave:
                return LeaveAsync(frame, cancellationToken);
            case ClientFrameType.Room:
                return SendAsync(in frame, EventKind.Room, cancellationToken);
            case ClientFrameType.Dm:
                return SendAsync(in frame, EventKind.Dm, cancellationToken);
            case ClientFrameType.Edit:
                return SendAsync(in frame, EventKind.Edit, cancellationToken);
            case ClientFrameType.Delete:
                return SendAsync(in frame, EventKind.Delete, cancellationToken);
            case ClientFrameType.React:
                return SendAsync(in frame, EventKind.React, cancellationToken);
            case ClientFrameType.Resume:
                return ResumeAsync(frame, cancellationToken);
            case ClientFrameType.Auth:
                return AuthenticateAsync(frame, cancellationToken);
            case ClientFrameType.Typing or ClientFrameType.Read or ClientFrameType.Signal:
                return NotifyAsync(in frame, cancellationToken);
            case ClientFrameType.Ping:
                Answer(new PongFrame(RawJson.Of(frame.Ref)));
                return ValueTask.CompletedTask;
            default:
                throw new InvalidOperationException($"No handler for {frame.Type} frames.");
        }
    }

    /// <summary>Answers an error. A connection that keeps on producing them is closed.</summary>
    public void Refuse(FrameError error)
    {
        metrics.Refused(error.Code);
        if (_refused.TryTake(out _) && budget.Refused.TryTake(out _))
        {
            Answer(ErrorFrame.Of(error));
        }
        else
        {
            connection.Outbound.Close(CloseCodes.Flooding, "too many refused frames");
        }
    }

    private async ValueTask JoinAsync(string room, long? since, string? epoch, string? reference, CancellationToken cancellationToken)
    {
        await PayForConversationAsync(cancellationToken);
        var pass = await SettledAsync(room, cancellationToken);
        if (pass is not { Joined: true })
        {
            if (connection.Rooms.Count >= options.RoomsPerConnection)
            {
                Refuse(new FrameError(ErrorCodes.Limit, $"at most {options.RoomsPerConnection} rooms per connection", null,
                    reference));
                return;
            }
            pass = new RoomPass();
            connection.Rooms[room] = pass;
        }
        hubs.OfRoom(room).Post(new HubMessage.Join(connection, room, pass, since, epoch, RawJson.Of(reference)));
    }

    private async ValueTask LeaveAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        await PayForConversationAsync(cancellationToken);
        await SettledAsync(frame.Room!, cancellationToken);
        var pass = new RoomPass();
        connection.Rooms[frame.Room!] = pass;
        hubs.OfRoom(frame.Room!).Post(new HubMessage.Leave(connection, frame.Room!, pass, RawJson.Of(frame.Ref)));
    }

    private ValueTask SendAsync(in ClientFrame frame, EventKind kind, CancellationToken cancellationToken) =>
        HasPlace(in frame) ? AppendAsync(in frame, kind, cancellationToken) : SendLaterAsync(frame, kind, cancellationToken);

    private async ValueTask SendLaterAsync(ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
    {
        if (await IsJoinedAsync(frame, cancellationToken))
        {
            await AppendAsync(in frame, kind, cancellationToken);
        }
    }

    private async ValueTask ResumeAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        foreach (var point in frame.Conversations)
        {
            if (point.Room is { } room)
            {
                await JoinAsync(room, point.Since, point.Epoch, frame.Ref, cancellationToken);
                continue;
            }
            await PayForConversationAsync(cancellationToken);
            hubs.OfUser(connection.User)
                .Post(new HubMessage.ResumeDirect(connection, point.To!, point.Since, point.Epoch, RawJson.Of(frame.Ref)));
        }
    }

    private async ValueTask AuthenticateAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        await PayForConversationAsync(cancellationToken);
        var (user, isUnknown) = await tokens.CheckAsync(frame.Token!);
        if (isUnknown)
        {
            Refuse(new FrameError(ErrorCodes.Unavailable, "the token can't be verified now", null, frame.Ref, UnknownRetryAfter));
            return;
        }

        if (user?.Id != connection.User)
        {
            Refuse(new FrameError(ErrorCodes.Forbidden, "the token is not valid for this user", null, frame.Ref));
            return;
        }
        connection.Expires = user.Expires.ToUnixTimeMilliseconds();
        connection.Grants = user.Rooms;
        foreach (var room in connection.Rooms.Keys)
        {
            if (connection.RightsIn(room) is { } rights && (rights & RoomRules.Join) == 0)
            {
                hubs.OfRoom(room).Post(new HubMessage.RightsChanged(connection, room));
            }
        }
        connection.IssuedAt = user.IssuedAt ?? 0;
        connection.Show(await profiles.ConnectedAsync(user.Id, user.Profile));
        Answer(new AuthenticatedFrame(Timestamps.ToText(user.Expires), RawJson.Of(frame.Ref)));
    }

    /// <summary>
    /// Each conversation that a frame names costs a subscription, a script in Redis and a replay. A user who asks for many is answered later,
    /// and nobody else is.
    /// </summary>
    private ValueTask PayForConversationAsync(CancellationToken cancellationToken) => budget.Conversations.PayAsync(1, cancellationToken);

    /// <summary>What leaves nothing in the log: typing, signals, read cursors.</summary>
    private ValueTask NotifyAsync(in ClientFrame frame, CancellationToken cancellationToken)
    {
        if (!HasPlace(in frame))
        {
            return NotifyLaterAsync(frame, cancellationToken);
        }
        Notify(in frame);
        return ValueTask.CompletedTask;
    }

    private async ValueTask NotifyLaterAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        if (await IsJoinedAsync(frame, cancellationToken))
        {
            Notify(in frame);
        }
    }

    private void Notify(in ClientFrame frame)
    {
        switch (frame.Type)
        {
            case ClientFrameType.Typing:
                Typing(in frame);
                break;
            case ClientFrameType.Signal:
                Signal(in frame);
                break;
            default:
                cursors.Move(ConversationOf(in frame), frame.Seq!.Value);
                break;
        }
    }

    private void Typing(in ClientFrame frame)
    {
        if (budget.Signals.TryTake(out _))
        {
            presence.Typing(connection.User, frame.Room, frame.To, frame.Active);
        }
        else
        {
            metrics.SignalDropped();
        }
    }

    private void Signal(in ClientFrame frame)
    {
        if (!MaySend(in frame, out _))
        {
            return;
        }
        if (!_signals.TryTake(out var wait) || !budget.Signals.TryTake(out wait))
        {
            Refuse(new FrameError(ErrorCodes.RateLimited, "too many signals", frame.Nonce, frame.Ref, (int)Math.Ceiling(wait.TotalMilliseconds)));
            return;
        }
        signals.Publish(connection.User, frame.Room, frame.To, frame.Signal!);
    }

    /// <summary>False: the connection's token does not let it send there, and the client is told.</summary>
    /// <param name="rights">What the token grants in the room; null: it has no claim, or the frame names no room.</param>
    private bool MaySend(in ClientFrame frame, out int? rights)
    {
        rights = frame.Room is null ? null : connection.RightsIn(frame.Room);
        if (rights is null || (rights & RoomRules.Send) != 0)
        {
            return true;
        }

        Refuse(new FrameError(ErrorCodes.Forbidden, "your token does not let you send in this room", frame.Nonce, frame.Ref));
        return false;
    }

    private ValueTask AppendAsync(in ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
    {
        if (!MaySend(in frame, out var rights))
        {
            return ValueTask.CompletedTask;
        }

        var authority = RoomAuthorities.Of(rights);
        if (!intake.TryTake(out var wait))
        {
            var retryAfter = (int)Math.Ceiling(wait.TotalMilliseconds);
            Refuse(new FrameError(ErrorCodes.RateLimited, "too many events", frame.Nonce, frame.Ref, retryAfter));
            return ValueTask.CompletedTask;
        }
        // A deletion makes what stays smaller.
        if (kind != EventKind.Delete && budget.Written.IsSpent(out wait))
        {
            var retryAfter = (int)Math.Ceiling(wait.TotalMilliseconds);
            Refuse(new FrameError(ErrorCodes.Limit, WrittenTooMuch, frame.Nonce, frame.Ref, retryAfter));
            return ValueTask.CompletedTask;
        }
        // Only what the kind is about: whatever else the frame carries must not get into the log.
        var isRevision = kind is EventKind.Edit or EventKind.Delete or EventKind.React;
        var isReaction = kind == EventKind.React;
        var e = events.Create(
            kind,
            ConversationOf(in frame),
            connection.User,
            frame.Nonce!,
            kind is EventKind.Delete or EventKind.React ? null : frame.Content,
            isRevision ? frame.Target!.Value : 0,
            isReaction ? frame.Emoji : null,
            isReaction && frame.Remove,
            connection.Name,
            frame.Details);
        return hook is not null && BeforeSendHook.AppliesTo(kind)
            ? AskAndAppendAsync(e, authority, frame.Ref, cancellationToken)
            : intake.AppendAsync(e, authority, cancellationToken);
    }

    /// <summary>The next frame is read when the hook has answered: what a connection sends keeps its order, and waits at the client.</summary>
    private async ValueTask AskAndAppendAsync(
        ConversationEvent e, RoomAuthority authority, string? reference, CancellationToken cancellationToken)
    {
        var verdict = await hook!.AskAsync(e, options.Content, cancellationToken);
        if (verdict.Decision == HookDecision.Allow)
        {
            await intake.AppendAsync(verdict.Event, authority, cancellationToken);
            return;
        }

        AppendSpans.End(e, AppendResult.Refused(AppendStatus.Denied, ""));
        if (verdict.Decision == HookDecision.Busy)
        {
            budget.GiveEventBack();
            Refuse(new FrameError(ErrorCodes.Unavailable, TooManyChecks, e.Nonce, reference, (int)ChecksWait.TotalMilliseconds));
            return;
        }

        Refuse(new FrameError(ErrorCodes.Forbidden, verdict.Reason, e.Nonce, reference));
    }

    private ConversationKey ConversationOf(in ClientFrame frame)
    {
        if (_last.Room != frame.Room || _last.To != frame.To)
        {
            _last = (frame.Room, frame.To, frame.ConversationOf(connection.User));
        }

        return _last.Key;
    }

    /// <summary>The usual: nothing has to be waited for before the frame may go to its conversation.</summary>
    private bool HasPlace(in ClientFrame frame) =>
        frame.Room is null
        || (connection.Rooms.TryGetValue(frame.Room, out var pass) && pass is { Settled.IsCompleted: true, Joined: true });

    private async ValueTask<bool> IsJoinedAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        if (await SettledAsync(frame.Room!, cancellationToken) is { Joined: true })
        {
            return true;
        }

        Refuse(new FrameError(ErrorCodes.NotJoined, $"this connection has not joined room {frame.Room}", frame.Nonce, frame.Ref));
        return false;
    }

    /// <summary>The connection's standing in the room, once no join or leave of its own is under way.</summary>
    private async ValueTask<RoomPass?> SettledAsync(string room, CancellationToken cancellationToken)
    {
        while (connection.Rooms.TryGetValue(room, out var pass))
        {
            if (pass.Settled.IsCompleted)
            {
                return pass;
            }

            await pass.Settled.WaitAsync(cancellationToken);
        }
        return null;
    }

    private void Answer(ServerFrame frame) => connection.Outbound.Send(OutboundFrame.Of(frame));
}
