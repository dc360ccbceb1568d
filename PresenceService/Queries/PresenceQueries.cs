using AspireChat.Contracts;
using AspireChat.Contracts.Redis;
using AspireChat.PresenceService.State;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Queries;

/// <summary>Answers who is online. Two commands to Redis, however many users are asked for. Safe for concurrent use.</summary>
public sealed class PresenceQueries(PresenceRedis redis)
{
    /// <summary>
    /// In the order asked. Whoever is online was last seen now; whoever is not, when their last connection closed; never seen, or longer
    /// ago than is remembered: null.
    /// </summary>
    public async Task<IReadOnlyList<UserPresence>> ReadAsync(IReadOnlyList<string> users, CancellationToken cancellationToken)
    {
        if (users.Count == 0)
            return [];
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
