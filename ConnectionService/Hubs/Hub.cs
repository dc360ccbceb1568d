using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Hubs.Rooms;
using AspireChat.ConnectionService.Hubs.Users;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// Owns the rooms and users whose keys hash to it. A state machine: everything that happens comes as a message to <see cref="Handle"/>,
/// one at a time, and everything it wants done goes through <see cref="IHubEffects"/>; it never waits. Not thread-safe:
/// <see cref="HubLoop"/> drives it.
/// </summary>
/// <param name="retryAfter">Milliseconds that a client is told to wait after <c>unavailable</c>.</param>
internal sealed class Hub(HubOptions options, int retryAfter, IHubEffects effects, HubMetrics metrics, ILogger logger)
{
    private const int ExpiryInterval = 1_000;

    private readonly HubContext _context = new(options, retryAfter, effects, metrics, logger);
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LocalUser> _users = new(StringComparer.Ordinal);

    private HeadCheck? _heads;
    private MembershipCheck? _members;
    private long _expiryAt;

    private HeadCheck Heads => _heads ??= new HeadCheck(
        _context, () => _rooms.Values.Select(room => room.Members.Feed).Concat(_users.Values.SelectMany(user => user.Feeds)));

    private MembershipCheck Members => _members ??= new MembershipCheck(_context);

    /// <summary>Something waits for the next tick; otherwise one for each sweep of the heads is enough.</summary>
    public bool IsWaiting => _context.Attention.Count > 0 || Heads.IsActive || Members.IsActive;

    /// <summary>Nobody is connected, and no room lingers.</summary>
    public bool IsEmpty => _rooms.Count == 0 && _users.Count == 0;

    /// <summary>Between ticks: the monotonic clock and the wall clock, milliseconds.</summary>
    public void SetClock(long now, long unixNow)
    {
        _context.Now = now;
        _context.UnixNow = unixNow;
    }

    public void Handle(HubMessage message)
    {
        switch (message)
        {
            case HubMessage.Payload payload:
                Receive(payload);
                break;
            case HubMessage.Appended appended:
                Answer(appended);
                break;
            case HubMessage.Tick tick:
                OnTick(tick);
                break;
            case HubMessage.Opened opened:
                UserOf(opened.Connection.User).Open(opened.Connection);
                break;
            case HubMessage.Closed closed:
                Close(closed.Connection);
                break;
            case HubMessage.Join join:
                RoomOf(join.Room).Join(new PendingJoin(join.Connection, join.Pass, join.Since, join.Epoch, join.Ref));
                break;
            case HubMessage.Leave leave:
                RoomOf(leave.Room).Leave(leave.Connection, leave.Pass, leave.Ref);
                break;
            case HubMessage.ResumeDirect resume:
                Resume(resume);
                break;
            case HubMessage.SpaceToSend(var connection, var feed):
                Find(feed)?.Replays.Resume(connection);
                break;
            case HubMessage.Subscribed { Channel: var channel, Success: var success }:
                if (channel.IsRoom)
                {
                    _rooms.GetValueOrDefault(channel.Name)?.Subscribed(success);
                }
                else
                {
                    _users.GetValueOrDefault(channel.Name)?.Subscribed(success);
                }

                break;
            case HubMessage.Unsubscribed { Channel: var channel }:
                if (channel.IsRoom)
                {
                    _rooms.GetValueOrDefault(channel.Name)?.Unsubscribed();
                }
                else
                {
                    _users.GetValueOrDefault(channel.Name)?.Unsubscribed();
                }

                break;
            case HubMessage.Overflowed { Channel: var channel }:
                if (channel.IsRoom)
                {
                    _rooms.GetValueOrDefault(channel.Name)?.Repair();
                }
                else
                {
                    _users.GetValueOrDefault(channel.Name)?.Repair();
                }

                break;
            case HubMessage.Restored:
                Heads.CheckAllNow();
                foreach (var room in _rooms.Values)
                {
                    room.PresenceMissed();
                    room.Removals.Doubt();
                }

                Members.CheckAll(_rooms.Values);
                break;
            case HubMessage.JoinAnswer answer:
                _rooms.GetValueOrDefault(answer.Room)?.JoinAnswered(answer.Token, answer.Result);
                break;
            case HubMessage.RejoinAnswer answer:
                _rooms.GetValueOrDefault(answer.Room)?.Members.Rejoins.Answered(answer.Token, answer.Written, answer.Refusal);
                break;
            case HubMessage.LeaveAnswer answer:
                _rooms.GetValueOrDefault(answer.Room)?.LeaveAnswered(answer.User, answer.At, answer.IsLastOwner);
                break;
            case HubMessage.MembersAnswer answer:
                FindStrangers(Members.Answered(answer.Rooms));
                break;
            case HubMessage.PresenceAnswer answer:
                _rooms.GetValueOrDefault(answer.Room)?.PresenceAnswered(answer.Presence);
                break;
            case HubMessage.RepairAnswer answer:
                Find(answer.Feed)?.RepairAnswered(answer.Token, MayHandOut(answer.Feed) ? answer.Slice : null);
                break;
            case HubMessage.ReplayAnswer answer:
                Find(answer.Feed)?.ReplayAnswered(answer.Token, MayHandOut(answer.Feed) ? answer.Slice : null);
                break;
            case HubMessage.PlacesAnswer answer:
                Heads.PlacesAnswered(answer.Places);
                break;
            case HubMessage.HeadsAnswer answer:
                Heads.Answered(answer.Heads);
                break;
            case HubMessage.MembershipEnded ended:
                End(ended);
                break;
            case HubMessage.RightsChanged(var connection, var room):
                _rooms.GetValueOrDefault(room)?.RightsChanged(connection);
                break;
            case HubMessage.RemovalsRead removals:
                effects.RemovalsHandled(removals.Round);
                break;
            case HubMessage.Kicked kicked:
                _users.GetValueOrDefault(kicked.User)?.Kick(kicked.At);
                break;
            case HubMessage.Revoked revoked:
                _users.GetValueOrDefault(revoked.User)?.Revoke(revoked.Until);
                break;
            default:
                throw new InvalidOperationException($"No hub handles {message.GetType().Name}.");
        }
    }

    private void Receive(HubMessage.Payload payload)
    {
        if (!PubSubMessage.TryRead(payload.Bytes, out var message))
        {
            metrics.CountDropped("unreadable");
            HubLog.UnreadableMessage(logger, payload.Channel.Channel);
        }
        else if (payload.Channel.IsRoom)
        {
            _rooms.GetValueOrDefault(payload.Channel.Name)?.Receive(message);
        }
        else
        {
            _users.GetValueOrDefault(payload.Channel.Name)?.Receive(message);
        }
    }

    /// <summary>What is read of a room's log is handed out only while it is known who is still a member.</summary>
    private bool MayHandOut(FeedId feed) => feed.User is not null || _rooms.GetValueOrDefault(feed.Key.RoomId)?.IsCurrent != false;

    private void End(HubMessage.MembershipEnded ended)
    {
        if (ended.User.Length == 0)
        {
            _rooms.GetValueOrDefault(ended.Room)?.AllEnded(ended.At, ended.Reason);
        }
        else
        {
            _rooms.GetValueOrDefault(ended.Room)?.MembershipEnded(ended.User, ended.At, ended.Reason);
        }
    }

    private void FindStrangers(IReadOnlyList<RoomStrangers> found)
    {
        // One of many users is answered in several parts.
        foreach (var parts in found.GroupBy(part => part.Room, StringComparer.Ordinal))
        {
            if (!_rooms.TryGetValue(parts.Key, out var room))
            {
                continue;
            }

            if (parts.Count(room.StrangersFound) == parts.Count())
            {
                room.Removals.Confirm();
            }
            else
            {
                Members.Again([room]);
            }
        }
    }

    /// <summary>Tells the sender what became of their event.</summary>
    private void Answer(HubMessage.Appended appended)
    {
        var (connection, e, result) = appended;
        var room = e.Conversation.IsRoom ? e.Conversation.RoomId : null;
        var to = room is null ? e.Conversation.Other(e.From) : null;
        if (connection.IsClosed)
        {
            return;
        }

        switch (result.Status)
        {
            case AppendStatus.Accepted or AppendStatus.Duplicate:
                connection.Outbound.Send(OutboundFrame.Of(new AckFrame(
                    e.Nonce, result.Id, result.Seq, result.Epoch, Timestamps.ToText(result.Timestamp), room, to,
                    result.Status == AppendStatus.Duplicate ? true : null)));
                if (room is not null)
                {
                    _rooms.GetValueOrDefault(room)?.Members.OwnEventAccepted(connection, result.Epoch, result.Seq);
                }
                else if (_users.TryGetValue(e.From, out var user))
                {
                    user.Follow(e.Conversation).OwnEventAccepted(connection, result.Epoch, result.Seq);
                }

                break;
            case AppendStatus.NotMember:
                Refuse(ErrorCodes.NotJoined, "the sender is not a member of the room", null);
                break;
            case AppendStatus.Forbidden:
                Refuse(ErrorCodes.Forbidden, "you may not send in this room", null);
                break;
            case AppendStatus.NoSuchRoom:
                Refuse(ErrorCodes.NotFound, "there is no such room", null);
                break;
            case AppendStatus.NoSuchTarget:
                Refuse(
                    ErrorCodes.NotFound,
                    e.Target == 0 ? "replyTo: there is no such event" : "target: there is no such message, or it was deleted",
                    null);
                break;
            case AppendStatus.NotAuthor:
                Refuse(ErrorCodes.Forbidden, "only its author edits or deletes a message", null);
                break;
            case AppendStatus.TooManyRevisions:
                Refuse(ErrorCodes.Limit, "target: the message takes no more changes", null);
                break;
            case AppendStatus.TooManyEmojis:
                Refuse(ErrorCodes.Limit, "emoji: the message has too many different ones", null);
                break;
            case AppendStatus.TooManyDirects:
                Refuse(ErrorCodes.Limit, "to: too many direct conversations begun in this hour", result.RetryAfter);
                break;
            default:
                Refuse(ErrorCodes.Unavailable, "the log can't be reached; nothing was accepted", result.RetryAfter);
                break;
        }

        void Refuse(string code, string text, int? retryAfter) =>
            connection.Outbound.Send(OutboundFrame.Of(new ErrorFrame(code, text, e.Nonce, null, retryAfter)));
    }

    private void Resume(HubMessage.ResumeDirect resume)
    {
        var connection = resume.Connection;
        if (connection.IsClosed || !_users.TryGetValue(connection.User, out var user))
        {
            return;
        }

        user.Follow(ConversationKey.Direct(connection.User, resume.To)).Resume(connection, resume.Since, resume.Epoch, resume.Ref);
    }

    private void Close(Connection connection)
    {
        // Those of other hubs are among them, and are not found here.
        foreach (var room in connection.Rooms.Keys)
        {
            _rooms.GetValueOrDefault(room)?.Remove(connection);
        }
        _users.GetValueOrDefault(connection.User)?.Remove(connection);
    }

    private void OnTick(HubMessage.Tick tick)
    {
        SetClock(tick.Now, tick.UnixNow);
        foreach (var timed in _context.Attention.ToList())
        {
            if (!timed.OnTick())
            {
                _context.Attention.Remove(timed);
            }
        }
        Heads.OnTick();
        Members.OnTick();
        if (tick.Now < _expiryAt)
        {
            return;
        }

        _expiryAt = tick.Now + ExpiryInterval;
        foreach (var (name, room) in _rooms)
        {
            if (room.OnTick())
            {
                _rooms.Remove(name);
            }
        }
        foreach (var (name, user) in _users)
        {
            user.CloseExpired();
            if (user.OnTick())
            {
                _users.Remove(name);
            }
        }
    }

    private Feed? Find(FeedId id) => id.User is null
        ? _rooms.GetValueOrDefault(id.Key.RoomId)?.Members.Feed
        : _users.GetValueOrDefault(id.User)?.Find(id.Key)?.Feed;

    private LocalUser UserOf(string name)
    {
        if (!_users.TryGetValue(name, out var user))
        {
            _users.Add(name, user = new LocalUser(name, _context));
        }

        return user;
    }

    private Room RoomOf(string name)
    {
        if (!_rooms.TryGetValue(name, out var room))
        {
            _rooms.Add(name, room = new Room(name, _context));
        }

        return room;
    }
}
