using AspireChat.ConnectionService.Limits;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// What each user may still do on this node: open connections, send events. Over sockets and HTTP alike. Thread-safe. Other nodes count
/// for themselves: a user on two nodes has two allowances.
/// </summary>
internal sealed class UserAllowances(IOptions<SocketOptions> options, TimeProvider time)
{
    private const int SweepEvery = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _users = new(StringComparer.Ordinal);
    private int _untilSweep = SweepEvery;

    /// <summary>Counts a connection. False: the user has too many; nothing is counted.</summary>
    public bool TryOpen(string user)
    {
        lock (_gate)
        {
            var entry = EntryOf(user);
            if (entry.Connections >= options.Value.ConnectionsPerUser)
            {
                return false;
            }

            entry.Connections++;
            return true;
        }
    }

    /// <summary>Ends a connection that <see cref="TryOpen"/> counted.</summary>
    public void Close(string user)
    {
        lock (_gate)
        {
            EntryOf(user).Connections--;
        }
    }

    /// <summary>The bucket of the user's events. Do not keep it beyond a connection or request.</summary>
    public TokenBucket EventsOf(string user)
    {
        lock (_gate)
        {
            return EntryOf(user).Events;
        }
    }

    private Entry EntryOf(string user)
    {
        if (_users.TryGetValue(user, out var entry))
        {
            return entry;
        }

        if (--_untilSweep <= 0)
        {
            foreach (var (name, old) in _users)
            {
                if (old.Connections == 0 && old.Events.IsFull)
                {
                    _users.Remove(name);
                }
            }
            // In proportion to what is left, so that sweeping costs each new user about as much as being added.
            _untilSweep = Math.Max(SweepEvery, _users.Count);
        }
        entry = new Entry(new TokenBucket(options.Value.EventsPerSecond, options.Value.EventBurst, time));
        _users.Add(user, entry);
        return entry;
    }

    private sealed class Entry(TokenBucket events)
    {
        public TokenBucket Events { get; } = events;

        public int Connections { get; set; }
    }
}
