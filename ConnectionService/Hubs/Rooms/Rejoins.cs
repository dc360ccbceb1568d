using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>
/// Writes the memberships of a room's local users again after the log was rebuilt: one that was written shortly before Redis lost its data may
/// be lost too. Joining again is harmless. Belongs to one hub.
/// </summary>
/// <param name="isHere">Whether a user still has a connection in the room.</param>
/// <param name="refused">A user is no member any more: they were removed, or the room was deleted.</param>
internal sealed class Rejoins(string room, Func<string, bool> isHere, Action<string, JoinRefusal> refused, HubContext hub) : ITimed
{
    private const int RetryDelay = 500;

    /// <summary>Users whose membership is being written, by the question's token.</summary>
    private readonly Dictionary<long, string> _asked = [];

    /// <summary>Users whose membership could not be written: it is tried again after <see cref="RetryDelay"/>.</summary>
    private readonly HashSet<string> _failed = new(StringComparer.Ordinal);

    private long _retryAt;

    /// <summary>Of somebody here it is not known whether they still are a member.</summary>
    public bool IsBusy => _asked.Count > 0 || _failed.Count > 0;

    /// <summary>The user's membership is being written: the log may not know it yet.</summary>
    public bool IsUnderWay(string user) => _failed.Contains(user) || _asked.ContainsValue(user);

    public void Start(IEnumerable<string> users)
    {
        _failed.Clear();
        foreach (var user in users)
        {
            Ask(user);
        }
    }

    public void Answered(long token, bool written, JoinRefusal refusal)
    {
        if (!_asked.Remove(token, out var user))
        {
            return;
        }

        if (refusal != JoinRefusal.None)
        {
            refused(user, refusal);
            return;
        }

        if (written)
        {
            return;
        }

        if (_failed.Count == 0)
        {
            _retryAt = hub.Now + RetryDelay;
            hub.Attention.Add(this);
        }
        _failed.Add(user);
    }

    public bool OnTick()
    {
        if (hub.Now < _retryAt)
        {
            return _failed.Count > 0;
        }
        var users = _failed.Where(isHere).ToList();
        _failed.Clear();
        users.ForEach(Ask);
        return false;
    }

    private void Ask(string user)
    {
        var token = hub.NextToken();
        _asked.Add(token, user);
        hub.Effects.Rejoin(room, user, token);
    }
}
