using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>A room: its local members and the fan-out to them. Belongs to one hub.</summary>
internal sealed class RoomFeed : Feed
{
    private const int RejoinDelay = 500;

    private readonly Dictionary<Connection, RoomMember> _members = [];

    /// <summary>How many connections each local user has in the room.</summary>
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal);

    /// <summary>Cursors to pass on at the next interval; the last of a user wins.</summary>
    private readonly Dictionary<string, long> _cursors = new(StringComparer.Ordinal);

    private readonly SentMarks _sent = new();

    /// <summary>Users whose membership is written again after the log was rebuilt, by the question's token.</summary>
    private readonly Dictionary<long, string> _rejoining = [];

    /// <summary>Those among them for whom that has failed; it is tried again in a while.</summary>
    private readonly HashSet<string> _unwritten = new(StringComparer.Ordinal);

    private long _unwrittenAt;
    private long _cursorsAt;

    public RoomFeed(string room, HubContext hub) : base(new FeedId(ConversationKey.Room(room), null), hub)
    {
        Room = room;
        Replays.CaughtUp = replay =>
        {
            if (_members.TryGetValue(replay.Connection, out var member) && member.Replay == replay)
            {
                member.Position = Math.Max(member.Position, replay.Position);
                member.Replay = null;
            }
        };
    }

    public string Room { get; }

    public override bool HasReceivers => _members.Count > 0;

    public IReadOnlyDictionary<string, int> Users => _users;

    /// <summary>
    /// Lets a connection in at <see cref="PendingJoin.Result"/>: the snapshot, what it missed, then live, all in this one step of the hub.
    /// </summary>
    public void Admit(PendingJoin join, RoomPresence presence)
    {
        var (connection, result) = (join.Connection, join.Result!);
        var rejoined = _members.TryGetValue(connection, out var member);
        if (member is null)
        {
            member = new RoomMember(connection, join.Pass) { Position = result.Head };
            _members.Add(connection, member);
            _users[connection.User] = _users.GetValueOrDefault(connection.User) + 1;
        }
        member.Pass = join.Pass;
        member.JoinedAt = Math.Max(member.JoinedAt, result.At);
        connection.Rooms[Room] = join.Pass;
        join.Pass.Settle(joined: true);

        // A connection that is in the room already stays where it is, unless it asks for a replay.
        var seq = rejoined && join.Since is null ? member.Replay?.Position ?? member.Position : result.Head;
        connection.Outbound.Send(OutboundFrame.Of(Snapshot(join, presence, seq)));
        if (join.Since is { } since)
        {
            StartReplay(member, since, seq, join);
        }
        else if (!rejoined && member.Position < Last)
        {
            StartCatchUp(member);
        }

        Hub.Effects.MembershipChanged(Room, connection.User, member: true);
    }

    /// <summary>The connection is gone or no longer in the room. False: it was not in.</summary>
    public bool Remove(Connection connection)
    {
        _sent.Remove(connection);
        if (!_members.Remove(connection))
        {
            return false;
        }

        Replays.Remove(connection);
        if (--_users[connection.User] == 0)
        {
            _users.Remove(connection.User);
        }

        return true;
    }

    public RoomMember? Find(Connection connection) => _members.GetValueOrDefault(connection);

    /// <summary>All connections of a user in the room.</summary>
    public List<RoomMember> MembersOf(string user) =>
        _users.ContainsKey(user) ? [.. _members.Values.Where(member => member.Connection.User == user)] : [];

    /// <summary>A ready ephemeral frame, not for the connections of <paramref name="except"/>.</summary>
    public void Forward(OutboundFrame frame, string except)
    {
        foreach (var member in _members.Values)
        {
            if (member.Connection.User != except)
            {
                member.Connection.Outbound.SendEphemeral(frame);
            }
        }
    }

    /// <summary>The log does not know this member, but is about to: see <see cref="EpochChanged"/>.</summary>
    public bool IsRejoining(string user) => _unwritten.Contains(user) || _rejoining.ContainsValue(user);

    /// <summary>The log was told again that a user is a member; no result: it could not be. False: it was not asked so here.</summary>
    public bool Rejoined(long token, JoinResult? result)
    {
        if (!_rejoining.Remove(token, out var user))
        {
            return false;
        }

        if (result is not null)
        {
            return true;
        }

        if (_unwritten.Count == 0)
        {
            _unwrittenAt = Hub.Now + RejoinDelay;
        }

        _unwritten.Add(user);
        Hub.Attention.Add(this);
        return true;
    }

    public void CursorMoved(string user, long seq)
    {
        if (!HasReceivers)
        {
            return;
        }

        if (_cursors.Count == 0)
        {
            _cursorsAt = Hub.Now + (long)Hub.Options.CursorInterval.TotalMilliseconds;
        }

        _cursors[user] = Math.Max(seq, _cursors.GetValueOrDefault(user));
        Hub.Attention.Add(this);
    }

    public override void Committed(string epoch, long seq)
    {
        if (epoch == Epoch)
        {
            _sent.Committed(epoch, seq, DurableFrame);
        }
    }

    /// <summary>A local member's event has its place: it is expected on pub/sub, and its commit is reported.</summary>
    public void OwnEventAccepted(Connection connection, string epoch, long seq)
    {
        if (Positioned && Locate(epoch, seq) && _members.ContainsKey(connection))
        {
            _sent.Sent(connection, epoch, seq, DurableFrame);
        }
    }

    public void RoomToSend(Connection connection) => Replays.Resume(connection);

    public override bool OnTick()
    {
        if (_cursors.Count > 0 && Hub.Now >= _cursorsAt)
        {
            SendCursors();
        }

        if (_unwritten.Count > 0 && Hub.Now >= _unwrittenAt)
        {
            RejoinUnwritten();
        }

        return base.OnTick() || _cursors.Count > 0 || _unwritten.Count > 0;
    }

    protected override void Deliver(EncodedEvent e)
    {
        using var span = FanOutSpan.Start(e);
        var (delivered, bytes) = (0, 0L);
        foreach (var member in _members.Values)
        {
            if (member.Replay is not null || e.Seq <= member.Position)
            {
                continue;
            }

            member.Position = e.Seq;
            var frame = e.FrameFor(member.Connection.User);
            member.Connection.Outbound.Send(frame);
            delivered++;
            bytes += frame.Length;
        }
        span.Delivered(e, "room", delivered, bytes);
        Hub.Metrics.Delivered.Add(delivered);
    }

    protected override void EpochChanged()
    {
        _sent.Reset();
        var frame = ResumedFrames.Of(Id, 0, Last, complete: false, Epoch, null);
        foreach (var member in _members.Values)
        {
            member.Position = Last;
            if (member.Replay is not { Announced: false })
            {
                member.Connection.Outbound.Send(frame);
            }
        }
        // A membership that was written shortly before Redis lost its data may be lost too; joining again is harmless.
        _unwritten.Clear();
        foreach (var user in _users.Keys)
        {
            Rejoin(user);
        }
    }

    protected override void HoleFound(long from)
    {
        foreach (var member in _members.Values)
        {
            if (member.Replay is not null || member.Position >= Last)
            {
                continue;
            }
            // Who joined while the feed was behind has come further than it.
            var seq = Math.Max(from, member.Position);
            member.Position = Last;
            member.Connection.Outbound.Send(ResumedFrames.Of(Id, seq, Last, complete: false, Epoch, null));
        }
    }

    private void RejoinUnwritten()
    {
        var users = _unwritten.Where(_users.ContainsKey).ToList();
        _unwritten.Clear();
        users.ForEach(Rejoin);
    }

    private void Rejoin(string user)
    {
        var token = Hub.NextToken();
        _rejoining.Add(token, user);
        Hub.Effects.Join(Room, user, token);
    }

    private JoinedFrame Snapshot(PendingJoin join, RoomPresence presence, long seq)
    {
        const int most = 100;
        var self = join.Connection.User;
        // Presence is soft and comes a moment later; who is here is known for certain.
        var online = new HashSet<string>(StringComparer.Ordinal) { self };
        online.UnionWith(_users.Keys.Take(most));
        var known = online.Count;
        online.UnionWith(presence.Online);
        var all = presence.Count <= presence.Online.Count;
        var count = all ? Math.Max(online.Count, _users.Count) : Math.Max(presence.Count, Math.Max(known, _users.Count));
        return new JoinedFrame(
            Room, seq, Epoch, [.. online.Take(most)], count, [.. presence.Typing.Where(user => user != self)], join.Result!.Read, join.Ref);
    }

    private void StartReplay(RoomMember member, long since, long head, PendingJoin join)
    {
        var connection = member.Connection;
        Replays.Cut(connection);
        if ((join.ClientEpoch is { } epoch && epoch != Epoch) || since > head)
        {
            connection.Outbound.Send(ResumedFrames.Of(Id, 0, head, complete: false, Epoch, join.Ref));
            if (member.Position < Last)
            {
                StartCatchUp(member);
            }

            return;
        }
        member.Replay = new Replay(connection, since, Hub.Options.ReplayEvents, join.Ref)
        {
            Until = head, Epoch = Epoch, LeadsToLive = true,
        };
        Replays.Start(member.Replay);
    }

    /// <summary>From the snapshot to what was delivered since it was taken.</summary>
    private void StartCatchUp(RoomMember member)
    {
        member.Replay = new Replay(member.Connection, member.Position, 0, null)
        {
            Until = member.Position, Epoch = Epoch, Announced = true, LeadsToLive = true,
        };
        Replays.Start(member.Replay);
    }

    private OutboundFrame DurableFrame(long seq) => OutboundFrame.Of(new DurableFrame(Room, null, seq));

    private void SendCursors()
    {
        foreach (var (user, seq) in _cursors)
        {
            var frame = OutboundFrame.Of(new ReadFrame(user, Room, null, seq));
            foreach (var member in _members.Values)
            {
                member.Connection.Outbound.SendEphemeral(frame);
            }
        }
        _cursors.Clear();
    }
}
