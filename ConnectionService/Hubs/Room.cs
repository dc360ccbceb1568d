using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Sockets;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// A room on this replica: its subscription, the joins and leaves under way, and the <see cref="RoomFeed"/>. Joining is subscribe, then the
/// snapshot from the log, then live from there; what arrives meanwhile waits in the feed. Belongs to one hub.
/// </summary>
internal sealed class Room
{
    private const int LeaveSignalWait = 1_000;

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
        _subscription = new ChannelSubscription(HubChannel.Room(name), hub);
    }

    public RoomFeed Feed { get; private set; }

    private string Name => Feed.Room;

    private bool IsWanted => Feed.HasReceivers || _waiting.Count > 0 || _asking.Count > 0 || _ready.Count > 0;

    public void Join(PendingJoin join)
    {
        if (join.Connection.IsClosed)
            return;
        if (_leaves.TryGetValue(join.Connection.User, out var leave))
        {
            // The signal of the leave may come after the answer to this join and would end it: one after the other.
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
                Ask(join);
            else
                Refuse(join);
        }
    }

    public void Unsubscribed()
    {
        _subscription.Answered(subscribed: false);
        // What is published from now on is not heard: the next subscription starts from nothing.
        Feed = new RoomFeed(Name, _hub);
        if (_waiting.Count > 0)
            _subscription.Want();
    }

    public void JoinAnswered(long token, JoinResult? result)
    {
        if (!_asking.Remove(token, out var join) || join.Connection.IsClosed)
            return;
        if (result is null)
        {
            Refuse(join);
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
                return;
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
                continue;
            if (join.Result!.Epoch == Feed.Epoch)
                Admit(join, presence);
            else
                Ask(join);
        }
        _meanwhile.Clear();
    }

    public void Leave(Connection connection, RoomPass pass, RawJson? reference)
    {
        if (connection.IsClosed)
            return;
        if (!_leaves.TryGetValue(connection.User, out var leave))
            _leaves.Add(connection.User, leave = new PendingLeave());
        leave.Requests.Add((connection, pass, reference));
        if (leave.Asked)
            return;
        leave.Asked = true;
        _hub.Effects.Leave(Name, connection.User);
    }

    public void LeaveAnswered(string user, bool success)
    {
        if (!_leaves.TryGetValue(user, out var leave))
            return;
        if (success)
        {
            // The log tells all replicas, this one too, through the user's channel. Acting on that one signal keeps a later join safe
            // from it.
            leave.AnsweredAt = _hub.Now;
            return;
        }
        _leaves.Remove(user);
        foreach (var (connection, pass, reference) in leave.Requests)
        {
            connection.Outbound.Send(Unavailable(reference));
            var member = Feed.Find(connection);
            member?.Pass = pass;
            Settle(connection, pass, joined: member is not null);
        }
        leave.Joins.ForEach(Join);
    }

    /// <summary>The user is no member any more: every local connection of theirs is told and lets go.</summary>
    public void MembershipEnded(string user)
    {
        _leaves.Remove(user, out var leave);
        var requests = leave?.Requests ?? [];
        foreach (var member in Feed.MembersOf(user))
        {
            Feed.Remove(member.Connection);
            Settle(member.Connection, member.Pass, joined: false);
            if (!requests.Exists(request => request.Connection == member.Connection))
                member.Connection.Outbound.Send(Left(null));
        }
        foreach (var (connection, pass, reference) in requests)
        {
            connection.Outbound.Send(Left(reference));
            Settle(connection, pass, joined: false);
        }
        // A join under way may have run before the leave: ask again, so that what the connection is told is what the log has.
        foreach (var (token, join) in _asking.Where(asked => asked.Value.Connection.User == user).ToList())
        {
            _asking.Remove(token);
            Ask(join);
        }
        foreach (var join in _ready.Where(join => join.Connection.User == user).ToList())
        {
            _ready.Remove(join);
            Ask(join);
        }
        _hub.Effects.MembershipChanged(Name, user, member: false);
        leave?.Joins.ForEach(Join);
    }

    public void Remove(Connection connection)
    {
        Feed.Remove(connection);
        _waiting.RemoveAll(join => join.Connection == connection);
        _ready.RemoveAll(join => join.Connection == connection);
        foreach (var token in _asking.Where(asked => asked.Value.Connection == connection).Select(asked => asked.Key).ToList())
            _asking.Remove(token);
        if (_leaves.TryGetValue(connection.User, out var leave))
        {
            leave.Requests.RemoveAll(request => request.Connection == connection);
            leave.Joins.RemoveAll(join => join.Connection == connection);
        }
    }

    /// <summary>A message of the room's channel.</summary>
    public void Receive(in ChannelMessage message)
    {
        switch (message.Kind)
        {
            case ChannelMessageKind.Event:
                foreach (var (seq, record) in message.Records())
                {
                    if (LogRecordCodec.Decode(record.Span, seq, message.First) is ConversationEvent e && e.Conversation == Feed.Id.Key)
                        Feed.Receive(new EncodedEvent(e));
                }
                break;
            case ChannelMessageKind.Frame:
                var frame = OutboundFrame.Of(message.Body.Span);
                Feed.Forward(frame, message.First);
                if (_readingPresence)
                    _meanwhile.Add((frame, message.First));
                break;
            case ChannelMessageKind.Read:
                Feed.CursorMoved(message.Second, message.Number);
                break;
            case ChannelMessageKind.Durable:
                Feed.Committed(message.Second, message.Number);
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
            _hub.Effects.PresenceMissed(Name);
    }

    /// <summary>True when nothing is left of the room here.</summary>
    public bool OnTick()
    {
        foreach (var (user, leave) in _leaves.ToList())
        {
            if (leave.AnsweredAt is { } answered && _hub.Now - answered >= LeaveSignalWait)
                MembershipEnded(user);
        }
        return _subscription.OnTick(IsWanted) && _leaves.Count == 0;
    }

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
            return;
        foreach (var (frame, except) in _meanwhile)
        {
            if (join.Connection.User != except)
                join.Connection.Outbound.SendEphemeral(frame);
        }
    }

    private void Refuse(PendingJoin join)
    {
        join.Connection.Outbound.Send(Unavailable(join.Ref));
        Settle(join.Connection, join.Pass, joined: Feed.Find(join.Connection) is not null);
    }

    private void Settle(Connection connection, RoomPass pass, bool joined)
    {
        if (!joined)
            connection.Rooms.TryRemove(KeyValuePair.Create(Name, pass));
        pass.Settle(joined);
    }

    private OutboundFrame Left(RawJson? reference) => OutboundFrame.Of(new LeftFrame(Name, reference));

    private OutboundFrame Unavailable(RawJson? reference) => OutboundFrame.Of(new ErrorFrame(
        ErrorCodes.Unavailable, "the log can't be reached", null, reference, (int)_hub.Options.RetryAfter.TotalMilliseconds));

    private sealed class PendingLeave
    {
        public List<(Connection Connection, RoomPass Pass, RawJson? Ref)> Requests { get; } = [];

        /// <summary>Joins of the same user that came meanwhile.</summary>
        public List<PendingJoin> Joins { get; } = [];

        public bool Asked { get; set; }

        public long? AnsweredAt { get; set; }
    }
}
