using System.Diagnostics;
using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Rooms;
using AspireChat.ConnectionService.Log;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>A room's local members, the feed that they follow, and the fan-out to them. Belongs to one hub.</summary>
internal sealed class RoomMembers : IFeedReceivers
{
    private readonly HubContext _hub;
    private readonly Dictionary<Connection, RoomMember> _members = [];

    /// <summary>How many connections each local user has in the room.</summary>
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal);

    /// <param name="refused">A user of this room turned out to be no member any more.</param>
    public RoomMembers(string room, Action<string, JoinRefusal> refused, HubContext hub)
    {
        _hub = hub;
        Room = room;
        Feed = new Feed(new FeedId(ConversationKey.Room(room), null), this, hub);
        Rejoins = new Rejoins(room, _users.ContainsKey, refused, hub);
        Cursors = new CursorRelay(room, frame => Forward(frame, except: null), hub);
    }

    public string Room { get; }

    public Feed Feed { get; }

    public Rejoins Rejoins { get; }

    public CursorRelay Cursors { get; }

    public bool Any => _members.Count > 0;

    public IReadOnlyDictionary<string, int> Users => _users;

    /// <summary>
    /// Lets a connection in at <see cref="PendingJoin.Result"/>: the snapshot, what it missed, then live, all in this one step of the hub.
    /// </summary>
    public void Admit(PendingJoin join, RoomPresence presence)
    {
        Debug.Assert(Feed.IsPositioned && join.Result!.Epoch == Feed.Epoch, "a member is let in at a place of the feed's own epoch");
        var (connection, result) = (join.Connection, join.Result!);
        var isRejoining = _members.TryGetValue(connection, out var member);
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
        var seq = isRejoining && join.Since is null ? member.Replay?.Position ?? member.Position : result.Head;
        connection.Outbound.Send(OutboundFrame.Of(Snapshot(join, presence, seq)));
        if (join.Since is { } since)
        {
            StartReplay(member, since, seq, join);
        }
        else if (!isRejoining && member.Position < Feed.Last)
        {
            StartCatchUp(member);
        }

        _hub.Effects.MembershipChanged(Room, connection.User, member: true);
    }

    /// <summary>The connection is gone or no longer in the room. False: it was not in.</summary>
    public bool Remove(Connection connection)
    {
        Feed.Remove(connection);
        if (!_members.Remove(connection))
        {
            return false;
        }
        if (--_users[connection.User] == 0)
        {
            _users.Remove(connection.User);
        }
        return true;
    }

    public RoomMember? Find(Connection connection) => _members.GetValueOrDefault(connection);

    /// <summary>All connections of a user in the room.</summary>
    public List<RoomMember> Of(string user) =>
        _users.ContainsKey(user) ? [.. _members.Values.Where(member => member.Connection.User == user)] : [];

    /// <summary>Sends a ready ephemeral frame to all but the connections of <paramref name="except"/>.</summary>
    public void Forward(OutboundFrame frame, string? except)
    {
        foreach (var member in _members.Values)
        {
            if (member.Connection.User != except)
            {
                member.Connection.Outbound.SendEphemeral(frame);
            }
        }
    }

    /// <summary>A local member's event has its place: it is expected on pub/sub, and its commit is reported.</summary>
    public void OwnEventAccepted(Connection connection, string epoch, long seq)
    {
        if (Feed.IsPositioned && Feed.Locate(epoch, seq) && _members.ContainsKey(connection))
        {
            Feed.Sent(connection, epoch, seq);
        }
    }

    public void Deliver(EncodedEvent e)
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
        _hub.Metrics.Delivered.Add(delivered);
    }

    public void EpochChanged()
    {
        var frame = ResumedFrames.Of(Feed.Id, 0, Feed.Last, complete: false, Feed.Epoch, null);
        foreach (var member in _members.Values)
        {
            member.Position = Feed.Last;
            if (member.Replay is not { IsAnnounced: false })
            {
                member.Connection.Outbound.Send(frame);
            }
        }
        Rejoins.Start(_users.Keys);
    }

    public void HoleFound(long from)
    {
        foreach (var member in _members.Values)
        {
            if (member.Replay is not null || member.Position >= Feed.Last)
            {
                continue;
            }
            // A member that joined while the feed was behind has come further than it.
            var seq = Math.Max(from, member.Position);
            member.Position = Feed.Last;
            member.Connection.Outbound.Send(ResumedFrames.Of(Feed.Id, seq, Feed.Last, complete: false, Feed.Epoch, null));
        }
    }

    public void CaughtUp(Replay replay)
    {
        if (_members.TryGetValue(replay.Connection, out var member) && member.Replay == replay)
        {
            member.Position = Math.Max(member.Position, replay.Position);
            member.Replay = null;
        }
    }

    public void HeadRead(string epoch, long head) =>
        throw new UnreachableException("A room's replays begin when its place is known.");

    public OutboundFrame Durable(long seq) => OutboundFrame.Of(new DurableFrame(Room, null, seq));

    private JoinedFrame Snapshot(PendingJoin join, RoomPresence presence, long seq)
    {
        const int most = 100;
        var self = join.Connection.User;
        // Presence is soft and a moment late. The room's own connections are certain.
        var online = new HashSet<string>(StringComparer.Ordinal) { self };
        online.UnionWith(_users.Keys.Take(most));
        var known = online.Count;
        online.UnionWith(presence.Online);
        var isAll = presence.Count <= presence.Online.Count;
        var count = isAll ? Math.Max(online.Count, _users.Count) : Math.Max(presence.Count, Math.Max(known, _users.Count));
        return new JoinedFrame(
            Room, seq, Feed.Epoch, [.. online.Take(most)], count, [.. presence.Typing.Where(user => user != self)], join.Result!.Read, join.Ref)
        {
            Profiles = ProfilesOf(join.Connection, presence),
            Role = RoomRoles.NameOf(join.Result.Role),
            Visibility = RoomSettings.NameOf(join.Result.Settings.Visibility),
            Sending = RoomSettings.NameOf(join.Result.Settings.Sending),
            Name = join.Result.Settings.Name,
            Topic = join.Result.Settings.Topic,
        };
    }

    private static IReadOnlyDictionary<string, RawJson>? ProfilesOf(Connection connection, RoomPresence presence)
    {
        // Presence may not have heard of the receiver yet.
        if (connection.Profile is not { } own || presence.Profiles.ContainsKey(connection.User))
        {
            return presence.Profiles.Count > 0 ? presence.Profiles : null;
        }

        return new Dictionary<string, RawJson>(presence.Profiles, StringComparer.Ordinal) { [connection.User] = own };
    }

    private void StartReplay(RoomMember member, long since, long head, PendingJoin join)
    {
        var connection = member.Connection;
        Feed.Replays.Cut(connection);
        if ((join.ClientEpoch is { } epoch && epoch != Feed.Epoch) || since > head)
        {
            connection.Outbound.Send(ResumedFrames.Of(Feed.Id, 0, head, complete: false, Feed.Epoch, join.Ref));
            if (member.Position < Feed.Last)
            {
                StartCatchUp(member);
            }

            return;
        }
        Start(member, new Replay(connection, since, _hub.Options.ReplayEvents, join.Ref)
        {
            Until = head, Epoch = Feed.Epoch, LeadsToLive = true,
        });
    }

    /// <summary>From the snapshot to what was delivered since it was taken.</summary>
    private void StartCatchUp(RoomMember member) => Start(member, new Replay(member.Connection, member.Position, 0, null)
    {
        Until = member.Position, Epoch = Feed.Epoch, IsAnnounced = true, LeadsToLive = true,
    });

    private void Start(RoomMember member, Replay replay)
    {
        member.Replay = replay;
        Feed.Replays.Start(replay);
    }
}
