using AspireChat.Contracts.Presence;
using AspireChat.Contracts.Redis;
using AspireChat.PresenceService.State;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Reports;

/// <summary>
/// Puts users who came online into the rooms that they are members of. Their rooms are kept outside of presence and so outside of the
/// script's reach: they are read first, and the script refuses them when the user left a room in between. Safe for concurrent use.
/// </summary>
public sealed class ArrivalHandler(PresenceRedis redis)
{
    /// <summary>Users whose rooms are read at a time; bounds the memory of a mass return.</summary>
    private const int AtOnce = 200;

    /// <summary>Places these users now. Who isn't placed (refused, or this service dies) is found by the next sweep.</summary>
    public async Task PlaceAsync(IReadOnlyList<string> users, CancellationToken cancellationToken)
    {
        foreach (var part in users.Chunk(AtOnce))
        {
            var database = redis.Database;
            RedisValue[] members = [.. part.Select(user => (RedisValue)user)];
            var scores = await database.SortedSetScoresAsync(RedisKeys.PresenceArrivals, members).WaitAsync(cancellationToken);
            // The score is read before the rooms: a room left after this changes it.
            await Task.WhenAll(part.Select(
                (user, i) => scores[i] is { } score ? PlaceAsync(user, (long)score, cancellationToken) : Task.CompletedTask));
        }
    }

    private async Task PlaceAsync(string user, long score, CancellationToken cancellationToken)
    {
        var rooms = await redis.Database.SetMembersAsync(RedisKeys.UserRooms(user)).WaitAsync(cancellationToken);
        await redis.RunAsync(PresenceScripts.Place, redis.Now, [user, score, .. rooms], cancellationToken);
    }
}
