using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Profiles;

/// <summary>
/// Tells the members of a user's rooms how the user is shown now: a frame <c>profile</c> in each room, at most once a second for each user,
/// over all nodes. What changes meanwhile is told once, as it is by then. Rooms with more members online than are told names hear nothing,
/// as with presence. It also notes what could not be noted while Redis was away. Like presence it is soft: a change that a crash keeps from
/// being told is seen with the next page or join. Thread-safe.
/// </summary>
internal sealed class ProfileAnnouncer(IConnectionMultiplexer redis, TimeProvider time) : BackgroundService
{
    /// <summary>Users who wait, of each kind; further ones are dropped: their members see the change with the next page or join.</summary>
    private const int MostWaiting = 10_000;

    /// <summary>Rooms asked about and told together.</summary>
    private const int RoomsPerCall = 100;

    /// <summary>As many members online as presence tells names to (<c>Presence:NameThreshold</c>).</summary>
    private const int MostOnline = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OncePer = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Doorbell _bell = new(time);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<Task>> _later = new(StringComparer.Ordinal);

    /// <summary>The user's profile changed.</summary>
    public void Announce(string user)
    {
        lock (_gate)
        {
            if (_changed.Count < MostWaiting)
            {
                _changed.Add(user);
            }
        }
        _bell.Ring();
    }

    /// <summary>Runs what could not be done for the user, until it can; of several for one user the last one.</summary>
    public void Later(string user, Func<Task> note)
    {
        lock (_gate)
        {
            if (_later.Count < MostWaiting || _later.ContainsKey(user))
            {
                _later[user] = note;
            }
        }
        _bell.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _bell.WaitAsync(stoppingToken);
                while (IsWaiting)
                {
                    var isAway = !await TryAsync(stoppingToken);
                    await Task.Delay(isAway ? RetryInterval : Interval, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private bool IsWaiting
    {
        get
        {
            lock (_gate)
            {
                return _changed.Count + _later.Count > 0;
            }
        }
    }

    /// <summary>False: Redis is away, and what waits is tried again.</summary>
    private async Task<bool> TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (user, note) in Snapshot(_later))
            {
                await note();
                lock (_gate)
                {
                    if (_later.TryGetValue(user, out var now) && now == note)
                    {
                        _later.Remove(user);
                    }
                }
            }
            foreach (var user in Snapshot(_changed))
            {
                await TellAsync(user, cancellationToken);
            }
            return true;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is LogUnavailableException)
        {
            return false;
        }
    }

    private List<T> Snapshot<T>(IReadOnlyCollection<T> waiting)
    {
        lock (_gate)
        {
            return [.. waiting];
        }
    }

    private async Task TellAsync(string user, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        if (!await database.StringSetAsync(RedisKeys.UserTold(user), 1, OncePer, When.NotExists))
        {
            // Told less than a second ago: the next round tries again.
            return;
        }

        lock (_gate)
        {
            // Before the profile is read: a later change comes in again.
            _changed.Remove(user);
        }
        var profiles = await StoredProfiles.ReadAsync(database, [user]);
        var profile = profiles.TryGetValue(user, out var stored) ? ProfileJson.Decode(stored.Text) : null;
        var frame = new PubSubMessage.Frame(ServerFrameCodec.Encode(new ProfileFrame(user, profile?.Name, profile?.Picture))).Encode();
        var rooms = new List<string>(RoomsPerCall);
        await foreach (var room in RedisScan.MembersAsync(database, RedisKeys.UserRooms(user), cancellationToken))
        {
            rooms.Add(room.ToString());
            if (rooms.Count == RoomsPerCall)
            {
                await TellAsync(database, rooms, frame);
                rooms.Clear();
            }
        }
        await TellAsync(database, rooms, frame);
    }

    private async Task TellAsync(IDatabase database, List<string> rooms, byte[] frame)
    {
        var online = await Task.WhenAll(rooms.Select(room => database.SetLengthAsync(RedisKeys.RoomOnline(room))));
        var subscriber = redis.GetSubscriber();
        await Task.WhenAll(rooms.Where((_, i) => online[i] is > 0 and <= MostOnline)
            .Select(room => subscriber.PublishAsync(RedisChannel.Literal(RedisChannels.Room(room)), frame)));
    }
}
