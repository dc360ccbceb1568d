using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// What Redis holds about rooms besides the log: the index of a user's rooms, and the users that are online or typing. Soft: when Redis is away
/// or slow, the answer is empty and comes in time. Thread-safe.
/// </summary>
internal sealed class MembershipIndex(IConnectionMultiplexer redis, TimeProvider time)
{
    /// <summary>As many names as <c>joined</c> carries.</summary>
    private const int MostMembers = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public void Add(string user, string room) =>
        redis.GetDatabase().SetAdd(RedisKeys.UserRooms(user), room, CommandFlags.FireAndForget);

    public void Remove(string user, string room) =>
        redis.GetDatabase().SetRemove(RedisKeys.UserRooms(user), room, CommandFlags.FireAndForget);

    public async Task<RoomPresence> ReadPresenceAsync(string room)
    {
        if (!redis.IsConnected)
        {
            return RoomPresence.Unknown;
        }

        try
        {
            var database = redis.GetDatabase();
            var count = database.SetLengthAsync(RedisKeys.RoomOnline(room));
            var online = database.SetRandomMembersAsync(RedisKeys.RoomOnline(room), MostMembers);
            var typing = database.SortedSetRangeByScoreAsync(RedisKeys.RoomTyping(room), time.GetUtcNow().ToUnixTimeMilliseconds());
            await Task.WhenAll(count, online, typing).WaitAsync(Patience, time);
            RedisValue[] named = [.. (await online).Union(await typing)];
            var profiles = named.Length == 0 ? [] : await database.HashGetAsync(RedisKeys.PresenceProfiles, named).WaitAsync(Patience, time);
            return new RoomPresence(
                [.. (await online).Select(user => (string)user!)], await count, [.. (await typing).Select(user => (string)user!)])
            {
                Profiles = named.Zip(profiles).Where(pair => pair.Second.HasValue)
                    .ToDictionary(pair => (string)pair.First!, pair => new RawJson((string)pair.Second!), StringComparer.Ordinal),
            };
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            return RoomPresence.Unknown;
        }
    }
}
