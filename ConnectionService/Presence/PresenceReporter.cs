using System.Threading.Channels;
using AspireChat.Contracts.Presence;

namespace AspireChat.ConnectionService.Presence;

/// <summary>
/// This replica's presence as it is now, and what of it PresenceService has not confirmed yet. Nothing is queued: a change marks its
/// subject, and a report reads the subject's state when it is made, so an outage of any length costs memory only in proportion to the
/// users and memberships that changed. Safe for concurrent use: every member is a few dictionary operations under one lock (making a full
/// report copies the state, about 1 ms per 20,000 users).
/// </summary>
public sealed class PresenceReporter(PresenceReportingMetrics metrics) : IPresenceReporter
{
    /// <summary>Memberships in one report; the rest follow in the next. Bounds the report's size: about 60 bytes each.</summary>
    internal const int MostRooms = 5_000;

    /// <summary>Typing notices kept between two reports; further ones are dropped and counted: typing is a courtesy.</summary>
    internal const int MostTyping = 4_096;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LocalUser> _users = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changedUsers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Room, string User), bool> _changedRooms = [];
    private readonly Dictionary<(string User, string? Room, string? To), bool> _typing = [];
    private readonly Channel<bool> _wake =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly string _instance = Guid.CreateVersion7().ToString("N");
    private bool _full = true;
    private long _sequence;

    /// <summary>Has an item when something is to be reported.</summary>
    internal ChannelReader<bool> Wake => _wake.Reader;

    /// <summary>The next report will be a full one.</summary>
    internal bool NeedsFull
    {
        get
        {
            lock (_gate)
                return _full;
        }
    }

    public void ConnectionOpened(string user)
    {
        lock (_gate)
        {
            if (!_users.TryGetValue(user, out var local))
                _users.Add(user, local = new LocalUser());
            local.Connections++;
            _changedUsers.Add(user);
        }
        _wake.Writer.TryWrite(true);
    }

    public void ConnectionClosed(string user)
    {
        lock (_gate)
        {
            if (!_users.TryGetValue(user, out var local))
                return;
            if (--local.Connections == 0)
                _users.Remove(user);
            _changedUsers.Add(user);
        }
        _wake.Writer.TryWrite(true);
    }

    public void MembershipChanged(string room, string user, bool member)
    {
        lock (_gate)
        {
            if (_users.TryGetValue(user, out var local))
            {
                if (member)
                    local.Rooms.Add(room);
                else
                    local.Rooms.Remove(room);
            }
            _changedRooms[(room, user)] = member;
        }
        _wake.Writer.TryWrite(true);
    }

    public void Typing(string user, string? room, string? to, bool active)
    {
        var dropped = false;
        lock (_gate)
        {
            var key = (user, room, to);
            if (_typing.Count < MostTyping || _typing.ContainsKey(key))
                _typing[key] = active;
            else
                dropped = true;
        }
        if (dropped)
            metrics.TypingDropped(1, "full");
        else
            _wake.Writer.TryWrite(true);
    }

    /// <summary>Makes the next report. Its changes count as sent until <see cref="Failed"/> puts them back.</summary>
    internal PresenceReport Take()
    {
        lock (_gate)
        {
            var full = _full;
            if (full)
            {
                foreach (var (user, local) in _users)
                {
                    foreach (var room in local.Rooms)
                        _changedRooms.TryAdd((room, user), true);
                }
            }
            var names = full ? _users.Keys : (IEnumerable<string>)_changedUsers;
            var users = names
                .Select(user => new UserConnections(user, _users.TryGetValue(user, out var local) ? local.Connections : 0)).ToList();
            var rooms = _changedRooms.Take(MostRooms)
                .Select(change => new RoomMembership(change.Key.Room, change.Key.User, change.Value)).ToList();
            var typing = _typing.Select(notice => new TypingNotice(notice.Key.User, notice.Key.Room, notice.Key.To, notice.Value)).ToList();
            _full = false;
            _changedUsers.Clear();
            _typing.Clear();
            foreach (var change in rooms)
                _changedRooms.Remove((change.Room, change.User));
            if (_changedRooms.Count > 0)
                _wake.Writer.TryWrite(true);
            return new PresenceReport(_instance, ++_sequence, full, users, rooms, typing);
        }
    }

    /// <summary>The last report of the process: nobody is connected any more.</summary>
    internal PresenceReport TakeFarewell()
    {
        lock (_gate)
        {
            var rooms = _changedRooms.Where(change => !change.Value).Take(MostRooms)
                .Select(change => new RoomMembership(change.Key.Room, change.Key.User, false)).ToList();
            return new PresenceReport(_instance, ++_sequence, Full: true, [], rooms, []);
        }
    }

    /// <summary>
    /// It is unknown whether <paramref name="report"/> was applied: what it said is said again, as it is by then. Its typing notices are
    /// dropped: by the time they could be repeated they are out of date.
    /// </summary>
    internal void Failed(PresenceReport report)
    {
        lock (_gate)
        {
            _full |= report.Full;
            foreach (var user in report.Users)
                _changedUsers.Add(user.User);
            // A newer change of the same membership stands.
            foreach (var membership in report.Rooms)
                _changedRooms.TryAdd((membership.Room, membership.User), membership.Member);
        }
        if (report.Typing.Count > 0)
            metrics.TypingDropped(report.Typing.Count, "away");
        _wake.Writer.TryWrite(true);
    }

    /// <summary>
    /// PresenceService does not know this process: the next report says everything. What <paramref name="report"/> said of memberships was
    /// not applied and is said again, because a full report lists only those that exist.
    /// </summary>
    internal void Unknown(PresenceReport report)
    {
        Failed(report);
        lock (_gate)
            _full = true;
    }

    private sealed class LocalUser
    {
        public int Connections { get; set; }

        public HashSet<string> Rooms { get; } = new(StringComparer.Ordinal);
    }
}
