using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;

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

    public FrameHandler(SocketServices services, Connection connection)
    {
        _services = services;
        _connection = connection;
        _events = services.Allowances.EventsOf(connection.User);
        _refused = new TokenBucket(services.Options.RefusedPerSecond, services.Options.RefusedBurst, services.Time);
        _sent = new SentEvents(connection, services.Hubs, _events);
        _cursors = new ReadCursors(connection.User, services.Log, services.Options.CursorInterval, services.Time);
    }

    public ValueTask HandleAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        _services.Metrics.Received(frame.Type.ToString());
        switch (frame.Type)
        {
            case ClientFrameType.Join:
                return JoinAsync(frame.Room!, frame.Since, frame.Epoch, frame.Ref, cancellationToken);
            case ClientFrameType.Leave:
                return LeaveAsync(frame, cancellationToken);
            case ClientFrameType.Room:
                return SendAsync(frame, EventKind.Room, cancellationToken);
            case ClientFrameType.Dm:
                return SendAsync(frame, EventKind.Dm, cancellationToken);
            case ClientFrameType.Edit:
                return SendAsync(frame, EventKind.Edit, cancellationToken);
            case ClientFrameType.Delete:
                return SendAsync(frame, EventKind.Delete, cancellationToken);
            case ClientFrameType.React:
                return SendAsync(frame, EventKind.React, cancellationToken);
            case ClientFrameType.Resume:
                return ResumeAsync(frame, cancellationToken);
            case ClientFrameType.Auth:
                return AuthenticateAsync(frame);
            case ClientFrameType.Typing:
                return TypingAsync(frame, cancellationToken);
            case ClientFrameType.Read:
                return ReadAsync(frame, cancellationToken);
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

    private async ValueTask SendAsync(ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
    {
        if (frame.Room is null || await IsJoinedAsync(frame, cancellationToken))
            await AppendAsync(frame, kind, cancellationToken);
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

    private async ValueTask TypingAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        if (frame.Room is null || await IsJoinedAsync(frame, cancellationToken))
            _services.Presence.Typing(_connection.User, frame.Room, frame.To, frame.Active);
    }

    private async ValueTask ReadAsync(ClientFrame frame, CancellationToken cancellationToken)
    {
        if (frame.Room is null || await IsJoinedAsync(frame, cancellationToken))
            _cursors.Move(frame.ConversationOf(_connection.User), frame.Seq!.Value);
    }

    private async ValueTask AppendAsync(ClientFrame frame, EventKind kind, CancellationToken cancellationToken)
    {
        if (!_events.TryTake(out var wait))
        {
            var retryAfter = (int)Math.Ceiling(wait.TotalMilliseconds);
            Refuse(new FrameError(ErrorCodes.RateLimited, "too many events", frame.Nonce, frame.Ref, retryAfter));
            return;
        }
        var e = _services.NewEvent(kind, frame.ConversationOf(_connection.User), _connection.User, frame.Nonce!);
        // Only what the kind is about: whatever else the frame carries must not get into the log.
        e = kind switch
        {
            EventKind.Edit => e with { Target = frame.Target!.Value, Content = frame.Content },
            EventKind.Delete => e with { Target = frame.Target!.Value },
            EventKind.React => e with { Target = frame.Target!.Value, Emoji = frame.Emoji, Remove = frame.Remove },
            _ => e with { Content = frame.Content },
        };
        if (e.Target > 0)
            _sent.Completed(e, await _services.Revisions.AppendAsync(e, _services.RetryAfter, cancellationToken));
        else if (!_services.Log.TryAppend(new AppendRequest(e, RequireMember: false, _sent)))
            _sent.Completed(e, AppendResult.Unavailable(_services.RetryAfter));
    }

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
