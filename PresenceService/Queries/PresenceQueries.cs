using AspireChat.Contracts;
using AspireChat.PresenceService.State;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Queries;

/// <summary>Answers who is online. Two commands to Redis, however many users are asked for. Thread-safe.</summary>
public sealed class PresenceQueries(PresenceRedis redis)
{
    /// <summary>
    /// In the order asked. A user who is online was last seen now; one who is not, when their last connection closed. Null: never, or
    /// longer ago than <see cref="PresenceOptions.SeenRetention"/>.
    /// </summary>
    public async Task<IReadOnlyList<UserPresence>> ReadAsync(IReadOnlyList<string> users, CancellationToken cancellationToken)
    {
        if (users.Count == 0)
        {
            return [];
        }

        var now = Timestamps.ToText(redis.Now);
        var database = redis.Database;
        var online = database.SetContainsAsync(RedisKeys.PresenceOnline, [.. users.Select(user => (RedisValue)user)]);
        var seen = database.StringGetAsync([.. users.Select(user => (RedisKey)RedisKeys.PresenceSeen(user))]);
        await Task.WhenAll(online, seen).WaitAsync(cancellationToken);
        var isOnline = await online;
        var lastSeen = await seen;
        return [.. users.Select((user, i) => new UserPresence(
            user, isOnline[i], isOnline[i] ? now : lastSeen[i].IsNull ? null : Timestamps.ToText((long)lastSeen[i])))];
    }
}
