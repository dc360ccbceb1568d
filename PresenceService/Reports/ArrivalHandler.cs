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
    /// <summary>Users whose rooms are read at the same time; bounds a mass return's memory.</summary>
    private const int AtOnce = 50;

    /// <summary>Rooms in one call: two milliseconds of Redis at most.</summary>
    private const int Part = 250;

    /// <summary>
    /// Places these users now, as often as it takes. The next sweep finds the users who were not placed: refused, or this service died.
    /// </summary>
    public async Task PlaceAsync(IReadOnlyList<string> users, CancellationToken cancellationToken)
    {
        foreach (var part in users.Chunk(AtOnce))
        {
            RedisValue[] members = [.. part.Select(user => (RedisValue)user)];
            var scores = await redis.Database.SortedSetScoresAsync(RedisKeys.PresenceArrivals, members).WaitAsync(cancellationToken);
            // The score is read before the rooms: a room left after this changes it.
            var rooms = await Task.WhenAll(part.Select((user, i) => scores[i] is null
                ? Task.FromResult<List<RedisValue>>([])
                : ReadRoomsAsync(user, cancellationToken)));
            var call = new List<RedisValue>();
            var named = 0;
            for (var i = 0; i < part.Length; i++)
            {
                if (scores[i] is not { } score)
                {
                    continue;
                }

                var placed = 0;
                do
                {
                    if (named == Part)
                    {
                        await redis.RunAsync(PresenceScripts.Place, redis.Now, call, cancellationToken);
                        call.Clear();
                        named = 0;
                    }
                    var some = rooms[i].GetRange(placed, Math.Min(Part - named, rooms[i].Count - placed));
                    placed += some.Count;
                    // A user without rooms costs something too.
                    named += Math.Max(1, some.Count);
                    call.AddRange([part[i], (long)score, placed == rooms[i].Count ? "1" : "0", some.Count, .. some]);
                }
                while (placed < rooms[i].Count);
            }
            if (call.Count > 0)
            {
                await redis.RunAsync(PresenceScripts.Place, redis.Now, call, cancellationToken);
            }
        }
    }

    private async Task<List<RedisValue>> ReadRoomsAsync(string user, CancellationToken cancellationToken)
    {
        var rooms = new List<RedisValue>();
        await foreach (var room in RedisScan.MembersAsync(redis.Database, RedisKeys.UserRooms(user), cancellationToken))
        {
            rooms.Add(room);
        }
        return rooms;
    }
}
