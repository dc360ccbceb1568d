using AspireChat.Client.Wire;

namespace AspireChat.Client.Profiles;

/// <summary>
/// How users are shown: what the server said of each last. Of at most <see cref="Most"/> users; the one learnt first goes first. Thread-safe.
/// </summary>
internal sealed class KnownProfiles
{
    private const int Most = 10_000;

    private readonly Gate _gate = new();
    private readonly Dictionary<string, ChatProfile> _profiles = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public ChatProfile? Find(string user)
    {
        lock (_gate)
        {
            return _profiles.GetValueOrDefault(user);
        }
    }

    public void Learn(IReadOnlyDictionary<string, WireProfile>? said)
    {
        foreach (var (user, profile) in said ?? new Dictionary<string, WireProfile>())
        {
            Learn(user, profile.Name, profile.Picture);
        }
    }

    public void Learn(string user, string? name, string? picture)
    {
        lock (_gate)
        {
            if (name is null && picture is null)
            {
                _profiles.Remove(user);
                return;
            }

            if (!_profiles.ContainsKey(user))
            {
                _order.Enqueue(user);
                // A user whose profile went and came again is in the queue twice, so it is not always the profile of its head that goes.
                while (_order.Count > Most)
                {
                    _profiles.Remove(_order.Dequeue());
                }
            }

            _profiles[user] = new ChatProfile(name, picture);
        }
    }
}
