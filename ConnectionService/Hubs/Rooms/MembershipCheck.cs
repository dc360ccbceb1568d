using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>
/// Asks the log who is still a member after pub/sub was away. A leave is told once, by a message on the user's channel: one that was
/// published meanwhile is not told again. Rooms are asked for in batches, one under way at a time. Belongs to one hub.
/// </summary>
internal sealed class MembershipCheck(HubContext hub)
{
    /// <summary>Rooms in one question: bounds what a reconnect costs at once, whatever the number of rooms.</summary>
    private const int Batch = 200;

    private const int RetryDelay = 500;

    private readonly Queue<Room> _due = new();
    private readonly HashSet<Room> _queued = [];
    private List<Room> _asked = [];
    private bool _asking;
    private long _retryAt;

    /// <summary>There is work for the next tick.</summary>
    public bool IsActive => _due.Count > 0;

    public void CheckAll(IEnumerable<Room> rooms)
    {
        foreach (var room in rooms)
        {
            Queue(room);
        }
    }

    public void OnTick()
    {
        if (_asking || _due.Count == 0 || hub.Now < _retryAt)
        {
            return;
        }

        _asked = [];
        while (_asked.Count < Batch && _due.TryDequeue(out var room))
        {
            _queued.Remove(room);
            if (room.Members.Any)
            {
                _asked.Add(room);
            }
        }
        if (_asked.Count == 0)
        {
            return;
        }

        _asking = true;
        hub.Effects.ReadMembers([.. _asked.Select(room => new RoomUsers(room.Members.Room, [.. room.Members.Users.Keys]))]);
    }

    /// <summary>Null: the log can't be reached, and is asked again. So is a room that the answer leaves out.</summary>
    public IReadOnlyList<RoomStrangers> Answered(IReadOnlyList<RoomStrangers>? rooms)
    {
        _asking = false;
        var known = rooms?.Select(room => room.Room).ToHashSet(StringComparer.Ordinal) ?? [];
        Again(_asked.Where(room => !known.Contains(room.Members.Room)));
        return rooms ?? [];
    }

    /// <summary>The answer said nothing of the rooms as they are: they are asked for again, after a while.</summary>
    public void Again(IEnumerable<Room> rooms)
    {
        foreach (var room in rooms)
        {
            _retryAt = hub.Now + RetryDelay;
            Queue(room);
        }
    }

    private void Queue(Room room)
    {
        if (room.Members.Any && _queued.Add(room))
        {
            _due.Enqueue(room);
        }
    }
}
