using System.Threading.Channels;
using AspireChat.Contracts.Presence;

namespace AspireChat.ConnectionService.Presence;

/// <summary>
/// This replica's presence as it is now, and what of it PresenceService has not confirmed yet. Nothing is queued: a change marks its
/// subject, and a report reads the subject's state when it is made, so an outage of any length costs memory only in proportion to the
/// users and memberships that changed. Thread-safe: every member is a few dictionary operations under one lock (making a full
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
    private readonly Dictionary<(string Room, string User), MembershipChange> _changedRooms = [];
    private readonly HashSet<string> _missed = new(StringComparer.Ordinal);
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
            {
                return _full;
            }
        }
    }

    public void ConnectionOpened(string user)
    {
        lock (_gate)
        {
            if (!_users.TryGetValue(user, out var local))
            {
                _users.Add(user, local = new LocalUser());
            }

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
            {
                return;
            }

            if (--local.Connections == 0)
            {
                _users.Remove(user);
            }

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
                {
                    local.Rooms.Add(room);
                }
                else
                {
                    local.Rooms.Remove(room);
                }
            }
            var brief = !member && _changedRooms.TryGetValue((room, user), out var unsaid) && unsaid.Began;
            _changedRooms[(room, user)] = new MembershipChange(member, brief);
        }
        _wake.Writer.TryWrite(true);
    }

    public void ProfileChanged(string user)
    {
        lock (_gate)
        {
            if (!_users.ContainsKey(user))
            {
                return;
            }

            // A report on a user makes PresenceService read the profile.
            _changedUsers.Add(user);
        }
        _wake.Writer.TryWrite(true);
    }

    public void Missed(string room)
    {
        lock (_gate)
        {
            _missed.Add(room);
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
            {
                _typing[key] = active;
            }
            else
            {
                dropped = true;
            }
        }
        if (dropped)
        {
            metrics.TypingDropped(1, "full");
        }
        else
        {
            _wake.Writer.TryWrite(true);
        }
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
                    {
                        _changedRooms.TryAdd((room, user), new MembershipChange(Member: true, Brief: false));
                    }
                }
            }
            var names = full ? _users.Keys : (IEnumerable<string>)_changedUsers;
            var users = names
                .Select(user => new UserConnections(user, _users.TryGetValue(user, out var local) ? local.Connections : 0)).ToList();
            var rooms = _changedRooms.Take(MostRooms)
                .Select(change => change.Value.Of(change.Key.Room, change.Key.User)).ToList();
            var typing = _typing.Select(notice => new TypingNotice(notice.Key.User, notice.Key.Room, notice.Key.To, notice.Value)).ToList();
            List<string> missed = [.. _missed];
            _full = false;
            _changedUsers.Clear();
            _missed.Clear();
            _typing.Clear();
            foreach (var change in rooms)
            {
                _changedRooms.Remove((change.Room, change.User));
            }

            if (_changedRooms.Count > 0)
            {
                _wake.Writer.TryWrite(true);
            }

            return new PresenceReport(_instance, ++_sequence, full, users, rooms, typing, missed);
        }
    }

    /// <summary>The last report of the process: nobody is connected any more.</summary>
    internal PresenceReport TakeFarewell()
    {
        lock (_gate)
        {
            var rooms = _changedRooms.Where(change => !change.Value.Member).Take(MostRooms)
                .Select(change => change.Value.Of(change.Key.Room, change.Key.User)).ToList();
            return new PresenceReport(_instance, ++_sequence, Full: true, [], rooms, []);
        }
    }

    /// <summary>
    /// It is unknown whether <paramref name="report"/> was applied. The next report says the same things again, as they are by then. Its typing notices are
    /// dropped: by the time they could be repeated they are out of date.
    /// </summary>
    internal void Failed(PresenceReport report)
    {
        lock (_gate)
        {
            _full |= report.Full;
            foreach (var user in report.Users)
            {
                _changedUsers.Add(user.User);
            }

            _missed.UnionWith(report.Missed ?? []);
            foreach (var membership in report.Rooms)
            {
                var key = (membership.Room, membership.User);
                var lost = new MembershipChange(membership.Member, membership.Brief);
                // A newer change of the same membership stands.
                if (!_changedRooms.TryAdd(key, lost) && lost.Began && _changedRooms[key] is { Member: false } newer)
                {
                    _changedRooms[key] = newer with { Brief = true };
                }
            }
        }
        if (report.Typing.Count > 0)
        {
            metrics.TypingDropped(report.Typing.Count, "away");
        }

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
        {
            _full = true;
        }
    }

    private readonly record struct MembershipChange(bool Member, bool Brief)
    {
        /// <summary>No confirmed report says yet that the membership began.</summary>
        public bool Began => Member || Brief;

        public RoomMembership Of(string room, string user) => new(room, user, Member, Brief);
    }

    private sealed class LocalUser
    {
        public int Connections { get; set; }

        public HashSet<string> Rooms { get; } = new(StringComparer.Ordinal);
    }
}
