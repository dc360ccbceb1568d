using AspireChat.PresenceService.State;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PresenceService.Reports;

/// <summary>
/// Puts users who came online into the rooms that they are members of. The script cannot read those rooms, because they are kept in another
/// slot. So they are read first, and the script refuses a user who left a room in between. Thread-safe.
/// </summary>
public sealed class ArrivalHandler(PresenceRedis redis)
{
    /// <summary>Users whose rooms are read together and who are placed in one call; bounds a mass return's memory.</summary>
    private const int AtOnce = 50;

    /// <summary>Places these users now. The next sweep finds the users who were not placed: refused, or this service died.</summary>
    public async Task PlaceAsync(IReadOnlyList<string> users, CancellationToken cancellationToken)
    {
        foreach (var part in users.Chunk(AtOnce))
        {
            var database = redis.Database;
            RedisValue[] members = [.. part.Select(user => (RedisValue)user)];
            var scores = await database.SortedSetScoresAsync(RedisKeys.PresenceArrivals, members).WaitAsync(cancellationToken);
            // The score is read before the rooms: a room left after this changes it.
            var rooms = await Task.WhenAll(part.Select((user, i) => scores[i] is null
                ? Task.FromResult<RedisValue[]>([])
                : database.SetMembersAsync(RedisKeys.UserRooms(user)))).WaitAsync(cancellationToken);
            List<RedisValue> arguments = [];
            for (var i = 0; i < part.Length; i++)
            {
                if (scores[i] is { } score)
                {
                    arguments.AddRange([part[i], (long)score, rooms[i].Length, .. rooms[i]]);
                }
            }
            if (arguments.Count > 0)
            {
                await redis.RunAsync(PresenceScripts.Place, redis.Now, arguments, cancellationToken);
            }
        }
    }
}
