using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>
/// A room on this replica: its subscription, the joins and leaves under way, and the <see cref="RoomMembers"/>. Joining is subscribe, then
/// the snapshot from the log, then live from there; what arrives meanwhile waits in the members' feed. Belongs to one hub.
/// </summary>
internal sealed class Room
{
    private readonly HubContext _hub;
    private readonly ChannelSubscription _subscription;

    /// <summary>Joins that wait for the subscription.</summary>
    private readonly List<PendingJoin> _waiting = [];

    /// <summary>Joins that wait for the log, by token.</summary>
    private readonly Dictionary<long, PendingJoin> _asking = [];

    /// <summary>Joins that wait for the presence snapshot only; one read serves all.</summary>
    private readonly List<PendingJoin> _ready = [];

    private readonly PresenceReading _presence = new();
    private readonly Dictionary<string, PendingLeave> _leaves = new(StringComparer.Ordinal);

    public Room(string name, HubContext hub)
    {
        _hub = hub;
        Removals = new RemovalLease(hub);
        Members = new RoomMembers(name, Refused, hub);
        _subscription = new ChannelSubscription(ChatChannel.Room(name), hub);
    }

    public RoomMembers Members { get; private set; }

    /// <summary>How well it is known who was removed.</summary>
    public RemovalLease Removals { get; }

    private string Name => Members.Room;

    /// <summary>
    /// It is known who is still a member. While it is not, no event is handed out: the log is read again later.
    /// </summary>
    public bool IsCurrent => Removals.IsHeld(Members.Rejoins);

    private bool IsWanted => Members.Any || _waiting.Count > 0 || _asking.Count > 0 || _ready.Count > 0;

    public void Join(PendingJoin join)
    {
        if (join.Connection.IsClosed)
        {
            return;
        }

        if (_leaves.TryGetValue(join.Connection.User, out var leave))
        {
            // The user's later request counts, so it waits for the earlier one.
            leave.Joins.Add(join);
        }
        else if (_subscription.IsLive)
        {
            Ask(join);
        }
        else
        {
            _waiting.Add(join);
            _subscription.Want();
        }
    }

    public void Subscribed(bool success)
    {
        _subscription.Answered(success);
        List<PendingJoin> waiting = [.. _waiting];
        _waiting.Clear();
        waiting.ForEach(success ? Ask : Refuse);
    }

    public void Unsubscribed()
    {
        _subscription.Answered(subscribed: false);
        // Events published from now on are not heard, so the next subscription starts with an empty feed.
        Members = new RoomMembers(Name, Refused, _hub);
        if (_waiting.Count > 0)
        {
            _subscription.Want();
        }
    }

    public void JoinAnswered(long token, JoinResult? result)
    {
        if (!_asking.Remove(token, out var join) || join.Connection.IsClosed)
        {
            return;
        }

        if (result is not { Refusal: JoinRefusal.None })
        {
            Refuse(join, result is null ? Unavailable(join.Ref) : RoomFrames.Refusal(result.Refusal, join.Ref));
        }
        else if (!Members.Feed.Locate(result.Epoch, result.Head))
        {
            // The log was rebuilt between this answer and what the feed knows: ask again.
            Ask(join);
        }
        else
        {
            join.Result = result;
            Removals.IsPrivate = result.Settings.Visibility == RoomVisibility.Private;
            _ready.Add(join);
            if (_presence.TryBegin())
            {
                _hub.Effects.ReadPresence(Name);
            }
        }
    }

    public void PresenceAnswered(RoomPresence presence)
    {
        _presence.End();
        var ready = _ready.ToList();
        _ready.Clear();
        foreach (var join in ready)
        {
            if (join.Connection.IsClosed)
            {
                continue;
            }

            if (join.Connection.RightsIn(Name) is { } rights && (rights & RoomRules.Join) == 0)
            {
                // Another token came meanwhile.
                Refuse(join, RoomFrames.Refusal(JoinRefusal.Forbidden, join.Ref));
            }
            else if (join.Result!.Epoch == Members.Feed.Epoch)
            {
                Admit(join, presence);
            }
            else
            {
                Ask(join);
            }
        }
        _presence.Clear();
    }

    public void Leave(Connection connection, RoomPass pass, RawJson? reference)
    {
        if (connection.IsClosed)
        {
            return;
        }

        if (!_leaves.TryGetValue(connection.User, out var leave))
        {
            _leaves.Add(connection.User, leave = new PendingLeave());
        }

        leave.Requests.Add((connection, pass, reference));
        if (leave.Asked)
        {
            return;
        }

        leave.Asked = true;
        _hub.Effects.Leave(Name, connection.User);
    }

    /// <summary>No moment: the log could not be reached.</summary>
    public void LeaveAnswered(string user, long? at, bool isLastOwner)
    {
        if (!_leaves.TryGetValue(user, out var leave))
        {
            return;
        }

        if (!isLastOwner && at is { } moment)
        {
            MembershipEnded(user, moment);
        }

        _leaves.Remove(user);
        foreach (var (connection, pass, reference) in leave.Requests)
        {
            var member = Members.Find(connection);
            // A connection that is out already shows that the log took the leave, whether or not its answer came.
            var isOut = (at is not null && !isLastOwner) || leave.Out.Contains(connection);
            connection.Outbound.Send(isOut ? RoomFrames.Left(Name, reference) : isLastOwner ? RoomFrames.LastOwner(reference) : Unavailable(reference));
            member?.Pass = pass;
            Settle(connection, pass, joined: member is not null);
        }
        leave.Joins.ForEach(Join);
    }

    /// <summary>
    /// The user's membership ended at this moment of the log's clock. Every local connection of the user that joined before leaves the room and
    /// is told. The signal may come late, after a new join: that join stays.
    /// </summary>
    /// <param name="reason">Why, for the client; null: the user left.</param>
    public void MembershipEnded(string user, long at, string? reason = null)
    {
        var leave = _leaves.GetValueOrDefault(user);
        var ended = Members.Of(user).Where(member => member.JoinedAt <= at).ToList();
        foreach (var member in ended)
        {
            Members.Remove(member.Connection);
            Settle(member.Connection, member.Pass, joined: false);
            // A connection that asked to leave hears of it in the answer.
            if (leave?.Requests.Exists(request => request.Connection == member.Connection) == true)
            {
                leave.Out.Add(member.Connection);
            }
            else
            {
                member.Connection.Outbound.Send(RoomFrames.Left(Name, null, reason));
            }
        }
        // A join under way may have run before the leave: ask again, so that what the connection is told is what the log has.
        foreach (var (token, join) in _asking.Where(asked => asked.Value.Connection.User == user).ToList())
        {
            _asking.Remove(token);
            Ask(join);
        }
        foreach (var join in _ready.Where(join => join.Connection.User == user && join.Result!.At <= at).ToList())
        {
            _ready.Remove(join);
            Ask(join);
        }
        // A signal that finds no member here may be a late one. The replica that was asked to leave tells presence in any case.
        if ((ended.Count > 0 || leave is not null) && Members.Of(user).Count == 0)
        {
            _hub.Effects.MembershipChanged(Name, user, member: false);
        }
    }

    /// <summary>The memberships of all users ended at this moment of the log's clock.</summary>
    public void AllEnded(long at, string? reason)
    {
        foreach (var user in Members.Users.Keys.Concat(_asking.Values.Concat(_ready).Select(join => join.Connection.User)).Distinct().ToList())
        {
            MembershipEnded(user, at, reason);
        }
    }

    /// <summary>Another token of the connection may not let it stay.</summary>
    public void RightsChanged(Connection connection)
    {
        if (connection.RightsIn(Name) is { } rights && (rights & RoomRules.Join) == 0 && Members.Find(connection) is { } member)
        {
            Members.Remove(connection);
            Settle(connection, member.Pass, joined: false);
            connection.Outbound.Send(RoomFrames.Left(Name, null, "forbidden"));
        }
    }

    /// <summary>
    /// The log's answer about members, asked for after pub/sub had been away. An answer about another epoch is old, and so is one about a user
    /// whose membership is being written.
    /// </summary>
    /// <returns>False: the answer is about another epoch.</returns>
    public bool StrangersFound(RoomStrangers strangers)
    {
        if (strangers.Epoch != Members.Feed.Epoch)
        {
            return false;
        }

        foreach (var user in strangers.Users.Where(user => !Members.Rejoins.IsUnderWay(user)))
        {
            MembershipEnded(user, strangers.At);
        }

        return true;
    }

    public void Remove(Connection connection)
    {
        Members.Remove(connection);
        _waiting.RemoveAll(join => join.Connection == connection);
        _ready.RemoveAll(join => join.Connection == connection);
        foreach (var token in _asking.Where(asked => asked.Value.Connection == connection).Select(asked => asked.Key).ToList())
        {
            _asking.Remove(token);
        }

        if (_leaves.TryGetValue(connection.User, out var leave))
        {
            leave.Requests.RemoveAll(request => request.Connection == connection);
            leave.Joins.RemoveAll(join => join.Connection == connection);
        }
    }

    /// <summary>A message of the room's channel.</summary>
    public void Receive(PubSubMessage message)
    {
        switch (message)
        {
            case PubSubMessage.Events events when !IsCurrent:
                Members.Feed.Expect(events.Batch.FirstSeq);
                break;
            case PubSubMessage.Deleted deleted:
                AllEnded(deleted.At, "deleted");
                break;
            case PubSubMessage.Events events:
                foreach (var e in events.Batch.Decode())
                {
                    if (e.Conversation == Members.Feed.Id.Key)
                    {
                        Members.Feed.Receive(new EncodedEvent(e));
                    }
                }
                break;
            case PubSubMessage.Frame(var json, var except):
                var frame = OutboundFrame.Of(json.Span);
                Members.Forward(frame, except);
                _presence.Heard(json.Span, frame, except);
                break;
            case PubSubMessage.Read read when Members.Any:
                Members.Cursors.Moved(read.User, read.Seq);
                break;
            case PubSubMessage.Durable durable:
                Members.Feed.DurableHeard(durable.Epoch, durable.Seq);
                break;
            case PubSubMessage.Erased:
                Members.Feed.ForgetContent();
                break;
        }
    }

    /// <summary>Something may have been missed on the room's channel.</summary>
    public void Repair()
    {
        Members.Feed.ForgetContent();
        Members.Feed.Repair();
        PresenceMissed();
    }

    /// <summary>Frames of presence are in no log: what was missed is told again, as it is by then.</summary>
    public void PresenceMissed()
    {
        if (Members.Any)
        {
            _hub.Effects.PresenceMissed(Name);
        }
    }

    /// <summary>True when nothing is left of the room here.</summary>
    public bool OnTick() => _subscription.OnTick(IsWanted) && _leaves.Count == 0;

    private void Ask(PendingJoin join)
    {
        var token = _hub.NextToken();
        _asking.Add(token, join);
        _hub.Effects.Join(Name, join.Connection.User, token, join.Connection.RightsIn(Name));
    }

    private void Admit(PendingJoin join, RoomPresence presence)
    {
        var heard = Members.Find(join.Connection) is not null;
        Members.Admit(join, presence);
        if (!heard)
        {
            _presence.CatchUp(join.Connection);
        }
    }

    private void Refuse(PendingJoin join) => Refuse(join, Unavailable(join.Ref));

    private void Refuse(PendingJoin join, OutboundFrame answer)
    {
        join.Connection.Outbound.Send(answer);
        Settle(join.Connection, join.Pass, joined: Members.Find(join.Connection) is not null);
    }

    private void Settle(Connection connection, RoomPass pass, bool joined)
    {
        if (!joined)
        {
            connection.Rooms.TryRemove(KeyValuePair.Create(Name, pass));
        }

        pass.Settle(joined);
    }

    /// <summary>A user was a member before the log was rebuilt, and is none now.</summary>
    private void Refused(string user, JoinRefusal refusal) =>
        MembershipEnded(user, long.MaxValue, refusal == JoinRefusal.Deleted ? "deleted" : "removed");

    private OutboundFrame Unavailable(RawJson? reference) => RoomFrames.Unavailable(reference, _hub.RetryAfterMilliseconds);
}
