using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// A room on this replica: its subscription, the joins and leaves under way, and the <see cref="RoomFeed"/>. Joining is subscribe, then the
/// snapshot from the log, then live from there; what arrives meanwhile waits in the feed. Belongs to one hub.
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

    /// <summary>
    /// Frames of presence and typing that came while the snapshot was being read: it may be older than they are. PresenceService bounds how
    /// many a room is told in the half second that a read takes at most.
    /// </summary>
    private readonly List<(OutboundFrame Frame, string Except)> _meanwhile = [];

    private readonly Dictionary<string, PendingLeave> _leaves = new(StringComparer.Ordinal);
    private bool _readingPresence;

    public Room(string name, HubContext hub)
    {
        _hub = hub;
        Feed = new RoomFeed(name, hub);
        _subscription = new ChannelSubscription(ChatChannel.Room(name), hub);
    }

    public RoomFeed Feed { get; private set; }

    private string Name => Feed.Room;

    private bool IsWanted => Feed.HasReceivers || _waiting.Count > 0 || _asking.Count > 0 || _ready.Count > 0;

    public void Join(PendingJoin join)
    {
        if (join.Connection.IsClosed)
        {
            return;
        }

        if (_leaves.TryGetValue(join.Connection.User, out var leave))
        {
            // What the user asked for later holds: one after the other.
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
        var waiting = _waiting.ToList();
        _waiting.Clear();
        foreach (var join in waiting)
        {
            if (success)
            {
                Ask(join);
            }
            else
            {
                Refuse(join);
            }
        }
    }

    public void Unsubscribed()
    {
        _subscription.Answered(subscribed: false);
        // What is published from now on is not heard: the next subscription starts from nothing.
        Feed = new RoomFeed(Name, _hub);
        if (_waiting.Count > 0)
        {
            _subscription.Want();
        }
    }

    public void JoinAnswered(long token, JoinResult? result)
    {
        if (Feed.Rejoined(token, result) || !_asking.Remove(token, out var join) || join.Connection.IsClosed)
        {
            return;
        }

        if (result is null)
        {
            Refuse(join);
        }
        else if (result.Refusal != JoinRefusal.None)
        {
            Refuse(join, Limit(result.Refusal, join.Ref));
        }
        else if (!Feed.Locate(result.Epoch, result.Head))
        {
            // The log was rebuilt between this answer and what the feed knows: ask again.
            Ask(join);
        }
        else
        {
            join.Result = result;
            _ready.Add(join);
            if (_readingPresence)
            {
                return;
            }

            _readingPresence = true;
            _hub.Effects.ReadPresence(Name);
        }
    }

    public void PresenceAnswered(RoomPresence presence)
    {
        _readingPresence = false;
        var ready = _ready.ToList();
        _ready.Clear();
        foreach (var join in ready)
        {
            if (join.Connection.IsClosed)
            {
                continue;
            }

            if (join.Result!.Epoch == Feed.Epoch)
            {
                Admit(join, presence);
            }
            else
            {
                Ask(join);
            }
        }
        _meanwhile.Clear();
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
    public void LeaveAnswered(string user, long? at)
    {
        if (!_leaves.TryGetValue(user, out var leave))
        {
            return;
        }

        if (at is { } moment)
        {
            MembershipEnded(user, moment);
        }

        _leaves.Remove(user);
        foreach (var (connection, pass, reference) in leave.Requests)
        {
            var member = Feed.Find(connection);
            // Out of the room already: then the log took the leave, whatever became of its answer.
            var isOut = at is not null || leave.Out.Contains(connection);
            connection.Outbound.Send(isOut ? Left(reference) : Unavailable(reference));
            member?.Pass = pass;
            Settle(connection, pass, joined: member is not null);
        }
        leave.Joins.ForEach(Join);
    }

    /// <summary>
    /// The user's membership ended at this moment of the log's clock: every local connection of theirs that joined before lets go and is
    /// told. The signal may come late, after a new join: that one stays.
    /// </summary>
    public void MembershipEnded(string user, long at)
    {
        var leave = _leaves.GetValueOrDefault(user);
        var ended = Feed.MembersOf(user).Where(member => member.JoinedAt <= at).ToList();
        foreach (var member in ended)
        {
            Feed.Remove(member.Connection);
            Settle(member.Connection, member.Pass, joined: false);
            // Who has asked for it hears of it in the answer.
            if (leave?.Requests.Exists(request => request.Connection == member.Connection) == true)
            {
                leave.Out.Add(member.Connection);
            }
            else
            {
                member.Connection.Outbound.Send(Left(null));
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
        // A signal that finds nobody here may be a late one: the replica that was asked tells presence in any case.
        if ((ended.Count > 0 || leave is not null) && Feed.MembersOf(user).Count == 0)
        {
            _hub.Effects.MembershipChanged(Name, user, member: false);
        }
    }

    /// <summary>
    /// The log was asked after pub/sub had been away. What it says of another epoch, or of who is just being written, is old.
    /// </summary>
    public void StrangersFound(RoomStrangers strangers)
    {
        if (strangers.Epoch != Feed.Epoch)
        {
            return;
        }

        foreach (var user in strangers.Users.Where(user => !Feed.IsRejoining(user)))
        {
            MembershipEnded(user, strangers.At);
        }
    }

    public void Remove(Connection connection)
    {
        Feed.Remove(connection);
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
            case PubSubMessage.Events events:
                foreach (var e in events.Batch.Decode())
                {
                    if (e.Conversation == Feed.Id.Key)
                    {
                        Feed.Receive(new EncodedEvent(e));
                    }
                }
                break;
            case PubSubMessage.Frame(var json, var except):
                var frame = OutboundFrame.Of(json.Span);
                Feed.Forward(frame, except);
                if (_readingPresence)
                {
                    _meanwhile.Add((frame, except));
                }

                break;
            case PubSubMessage.Read read:
                Feed.CursorMoved(read.User, read.Seq);
                break;
            case PubSubMessage.Durable durable:
                Feed.Committed(durable.Epoch, durable.Seq);
                break;
        }
    }

    /// <summary>Something may have been missed on the room's channel.</summary>
    public void Repair()
    {
        Feed.Repair();
        PresenceMissed();
    }

    /// <summary>Frames of presence are in no log: what was missed is told again, as it is by then.</summary>
    public void PresenceMissed()
    {
        if (Feed.HasReceivers)
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
        _hub.Effects.Join(Name, join.Connection.User, token);
    }

    private void Admit(PendingJoin join, RoomPresence presence)
    {
        var heard = Feed.Find(join.Connection) is not null;
        Feed.Admit(join, presence);
        if (heard)
        {
            return;
        }

        foreach (var (frame, except) in _meanwhile)
        {
            if (join.Connection.User != except)
            {
                join.Connection.Outbound.SendEphemeral(frame);
            }
        }
    }

    private void Refuse(PendingJoin join) => Refuse(join, Unavailable(join.Ref));

    private void Refuse(PendingJoin join, OutboundFrame answer)
    {
        join.Connection.Outbound.Send(answer);
        Settle(join.Connection, join.Pass, joined: Feed.Find(join.Connection) is not null);
    }

    private void Settle(Connection connection, RoomPass pass, bool joined)
    {
        if (!joined)
        {
            connection.Rooms.TryRemove(KeyValuePair.Create(Name, pass));
        }

        pass.Settle(joined);
    }

    private OutboundFrame Left(RawJson? reference) => OutboundFrame.Of(new LeftFrame(Name, reference));

    private static OutboundFrame Limit(JoinRefusal refusal, RawJson? reference) => OutboundFrame.Of(new ErrorFrame(
        ErrorCodes.Limit,
        refusal == JoinRefusal.TooManyCreated ? "too many rooms created in this hour" : "you are a member of too many rooms: leave one first",
        null,
        reference,
        null));

    private OutboundFrame Unavailable(RawJson? reference) => OutboundFrame.Of(new ErrorFrame(
        ErrorCodes.Unavailable, "the log can't be reached", null, reference, (int)_hub.Options.RetryAfter.TotalMilliseconds));

    private sealed class PendingLeave
    {
        public List<(Connection Connection, RoomPass Pass, RawJson? Ref)> Requests { get; } = [];

        /// <summary>Joins of the same user that came meanwhile.</summary>
        public List<PendingJoin> Joins { get; } = [];

        public bool Asked { get; set; }

        /// <summary>Those among the askers who are out, because another message told of the leave first.</summary>
        public HashSet<Connection> Out { get; } = [];
    }
}
