using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>
/// Passes on the read cursors of a room: one frame for each user that moved theirs, every <see cref="HubOptions.CursorInterval"/>. Belongs to one
/// hub.
/// </summary>
/// <param name="send">Sends a frame to all members.</param>
internal sealed class CursorRelay(string room, Action<OutboundFrame> send, HubContext hub) : ITimed
{
    /// <summary>By user; the last of a user wins.</summary>
    private readonly Dictionary<string, long> _moved = new(StringComparer.Ordinal);

    private long _dueAt;

    public void Moved(string user, long seq)
    {
        if (_moved.Count == 0)
        {
            _dueAt = hub.Now + (long)hub.Options.CursorInterval.TotalMilliseconds;
            hub.Attention.Add(this);
        }
        _moved[user] = Math.Max(seq, _moved.GetValueOrDefault(user));
    }

    public bool OnTick()
    {
        if (hub.Now < _dueAt)
        {
            return _moved.Count > 0;
        }
        foreach (var (user, seq) in _moved)
        {
            send(OutboundFrame.Of(new ReadFrame(user, room, null, seq)));
        }
        _moved.Clear();
        return false;
    }
}
