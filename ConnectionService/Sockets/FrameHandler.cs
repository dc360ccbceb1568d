using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// Does what a client's frames ask for, one at a time, in the order sent. Most of it is posting to a hub or to the log; the answer comes
/// from there. Not thread-safe.
/// </summary>
internal sealed class FrameHandler
{
    private readonly SocketServices _services;
    private readonly Connection _connection;
    private readonly TokenBucket _events;
    private readonly TokenBucket _refused;
    private readonly SentEvents _sent;
    private readonly ReadCursors _cursors;

    /// <summary>Where the connection wrote last and most likely writes next: a conversation's key is made once, not per frame.</summary>
    private (string? Room, string? To, ConversationKey Key) _last;

    public FrameHandler(SocketServices services, Connection connection)
    {
        _services = services;
        _connection = connection;
        _events = services.Allowances.EventsOf(connection.User);
        _refused = new TokenBucket(services.Options.RefusedPerSecond, services.Options.RefusedBurst, services.Time);
        _sent = new SentEvents(connection, services.Hubs, _events);
        _cursors = new ReadCursors(connection.User, services.Log, services.Options.CursorInterval, services.Time);
    }

    public ValueTask HandleAsync(in ClientFrame frame, CancellationToken cancellationToken)
    {
        _services.Metrics.Received(frame.Type);
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
                return AuthenticateAsync(frame);
            case ClientFrameType.Typing:
                return TypingAsync(in frame, cancellationToken);
            case ClientFrameType.Read:
                return ReadAsync(in frame, cancellationToken);
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
        _services.Metrics.Refused(error.Code);
        if (_refused.TryTake(out _))
            Answer(ErrorFrame.Of(error));
        else
            _connection.Outbound.Close(CloseCodes.Flooding, "too many refused frames");
    }

    private async ValueTask JoinAsync(string room, long? since, string? epoch, string? reference, CancellationToken cancellationToken)
    {
        var pass = await SettledAsync(room, cancellationToken);
        if (pass is not { Joined: true })
        {
            if (_connection.Rooms.Count >= _services.Options.RoomsPerConnection)
            {
                Refuse(new FrameError(ErrorCodes.Limit, $"at most {_services.Options.RoomsPerConnection} rooms per connection", null,
                    reference));
                return;
            }
            pass = new RoomPass();
            _connection.Rooms[room] = pass;
        }
        _services.Hubs.OfRoom(room).Post(new HubMessage.Join(_connection, room, pass, since, epoch, RawJson.Of(reference)));
    }

    private async ValueTask LeaveAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        await SettledAsync(frame.Room!, cancellationToken);
        var pass = new RoomPass();
        _connection.Rooms[frame.Room!] = pass;
        _services.Hubs.OfRoom(frame.Room!).Post(new HubMessage.Leave(_connection, frame.Room!, pass, RawJson.Of(frame.Ref)));
    }

    private ValueTask SendAsync(in ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
    {
        return HasPlace(in frame) ? AppendAsync(in frame, kind, cancellationToken) : LaterAsync(this, frame, kind, cancellationToken);

        static async ValueTask LaterAsync(FrameHandler handler, ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
        {
            if (await handler.IsJoinedAsync(frame, cancellationToken))
                await handler.AppendAsync(in frame, kind, cancellationToken);
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
            _services.Hubs.OfUser(_connection.User)
                .Post(new HubMessage.ResumeDirect(_connection, point.To!, point.Since, point.Epoch, RawJson.Of(frame.Ref)));
        }
    }

    private async ValueTask AuthenticateAsync(ClientFrame frame)
    {
        var user = await _services.Tokens.ValidateAsync(frame.Token!);
        if (user?.Id != _connection.User)
        {
            Refuse(new FrameError(ErrorCodes.Forbidden, "the token is not valid for this user", null, frame.Ref));
            return;
        }
        _connection.Expires = user.Expires.ToUnixTimeMilliseconds();
        Answer(new AuthenticatedFrame(Timestamps.ToText(user.Expires), RawJson.Of(frame.Ref)));
    }

    private ValueTask TypingAsync(in ClientFrame frame, CancellationToken cancellationToken)
    {
        if (!HasPlace(in frame))
            return LaterAsync(this, frame, cancellationToken);
        _services.Presence.Typing(_connection.User, frame.Room, frame.To, frame.Active);
        return ValueTask.CompletedTask;

        static async ValueTask LaterAsync(FrameHandler handler, ClientFrame frame, CancellationToken cancellationToken)
        {
            if (await handler.IsJoinedAsync(frame, cancellationToken))
                handler._services.Presence.Typing(handler._connection.User, frame.Room, frame.To, frame.Active);
        }
    }

    private ValueTask ReadAsync(in ClientFrame frame, CancellationToken cancellationToken)
    {
        if (!HasPlace(in frame))
            return LaterAsync(this, frame, cancellationToken);
        _cursors.Move(ConversationOf(in frame), frame.Seq!.Value);
        return ValueTask.CompletedTask;

        static async ValueTask LaterAsync(FrameHandler handler, ClientFrame frame, CancellationToken cancellationToken)
        {
            if (await handler.IsJoinedAsync(frame, cancellationToken))
                handler._cursors.Move(handler.ConversationOf(in frame), frame.Seq!.Value);
        }
    }

    private ValueTask AppendAsync(in ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
    {
        if (!_events.TryTake(out var wait))
        {
            var retryAfter = (int)Math.Ceiling(wait.TotalMilliseconds);
            Refuse(new FrameError(ErrorCodes.RateLimited, "too many events", frame.Nonce, frame.Ref, retryAfter));
            return ValueTask.CompletedTask;
        }
        // Only what the kind is about: whatever else the frame carries must not get into the log.
        var isRevision = kind is EventKind.Edit or EventKind.Delete or EventKind.React;
        var isReaction = kind == EventKind.React;
        var e = _services.NewEvent(
            kind,
            ConversationOf(in frame),
            _connection.User,
            frame.Nonce!,
            kind is EventKind.Delete or EventKind.React ? null : frame.Content,
            isRevision ? frame.Target!.Value : 0,
            isReaction ? frame.Emoji : null,
            isReaction && frame.Remove);
        if (isRevision)
            return ReviseAsync(e, cancellationToken);
        if (!_services.Log.TryAppend(new AppendRequest(e, RequireMember: false, _sent)))
            _sent.Completed(e, AppendResult.Unavailable(_services.RetryAfter));
        return ValueTask.CompletedTask;
    }

    private async ValueTask ReviseAsync(ConversationEvent e, CancellationToken cancellationToken) =>
        _sent.Completed(e, await _services.Revisions.AppendAsync(e, _services.RetryAfter, cancellationToken));

    private ConversationKey ConversationOf(in ClientFrame frame)
    {
        if (_last.Room != frame.Room || _last.To != frame.To)
            _last = (frame.Room, frame.To, frame.ConversationOf(_connection.User));
        return _last.Key;
    }

    /// <summary>The usual: nothing has to be waited for before the frame may go to its conversation.</summary>
    private bool HasPlace(in ClientFrame frame) =>
        frame.Room is null
        || (_connection.Rooms.TryGetValue(frame.Room, out var pass) && pass is { Settled.IsCompleted: true, Joined: true });

    private async ValueTask<bool> IsJoinedAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        if (await SettledAsync(frame.Room!, cancellationToken) is { Joined: true })
            return true;
        Refuse(new FrameError(ErrorCodes.NotJoined, $"this connection has not joined room {frame.Room}", frame.Nonce, frame.Ref));
        return false;
    }

    /// <summary>The connection's standing in the room, once no join or leave of its own is under way.</summary>
    private async ValueTask<RoomPass?> SettledAsync(string room, CancellationToken cancellationToken)
    {
        while (_connection.Rooms.TryGetValue(room, out var pass))
        {
            if (pass.Settled.IsCompleted)
                return pass;
            await pass.Settled.WaitAsync(cancellationToken);
        }
        return null;
    }

    private void Answer(ServerFrame frame) => _connection.Outbound.Send(OutboundFrame.Of(frame));
}
