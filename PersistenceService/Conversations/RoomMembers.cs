using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Conversations;

internal sealed record RoomMember(string User, bool Online, long Read, string Role);

/// <summary>A page of a room's members in the byte order of their ids. Thread-safe.</summary>
internal sealed class RoomMembers(IConnectionMultiplexer redis, ConversationTable table)
{
    /// <summary>In rooms of up to this many members, all come from Redis, which also has those whose join is not committed yet.</summary>
    private const int SmallRoom = 1_000;

    /// <summary>
    /// Null when Redis cannot be asked, the partition is being opened, or a large room's members cannot be read from PostgreSQL.
    /// </summary>
    public async Task<(List<RoomMember> Members, string? Next)?> ReadAsync(
        string room, string after, int limit, CancellationToken cancellationToken)
    {
        try
        {
            var database = redis.GetDatabase();
            var key = ConversationKey.Room(room);
            if (!await database.KeyExistsAsync(RedisKeys.Epoch(key.Partition)))
            {
                return null;
            }

            var page = await database.HashLengthAsync(RedisKeys.Members(key)) <= SmallRoom
                ? await ReadAllAsync(database, key, after, limit + 1)
                : await ReadPageAsync(database, key, after, limit + 1, cancellationToken);
            var next = page.Count > limit ? page[limit - 1].Key : null;
            var shown = page.Take(limit).ToList();
            var online = shown.Count == 0
                ? []
                : await database.SetContainsAsync(RedisKeys.RoomOnline(room), [.. shown.Select(member => (RedisValue)member.Key)]);
            var roles = shown.Count == 0
                ? []
                : await database.HashGetAsync(RedisKeys.Rules(key), [.. shown.Select(member => (RedisValue)$"role:{member.Key}")]);
            return (shown.Select((member, i) =>
                new RoomMember(member.Key, online[i], member.Value, (string?)roles[i] ?? "member")).ToList(), next);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
        {
            return null;
        }
    }

    private static async Task<List<KeyValuePair<string, long>>> ReadAllAsync(
        IDatabase database, ConversationKey room, string after, int count)
    {
        var all = await database.HashGetAllAsync(RedisKeys.Members(room));
        return all.Select(field => new KeyValuePair<string, long>(field.Name.ToString(), (long)field.Value))
            .Where(member => string.CompareOrdinal(member.Key, after) > 0)
            .OrderBy(member => member.Key, StringComparer.Ordinal)
            .Take(count)
            .ToList();
    }

    /// <summary>
    /// From PostgreSQL, without the members who have left since, and with the present cursors. A new member of a large room appears once
    /// the join is committed, which takes milliseconds.
    /// </summary>
    private async Task<List<KeyValuePair<string, long>>> ReadPageAsync(
        IDatabase database, ConversationKey room, string after, int count, CancellationToken cancellationToken)
    {
        var members = new List<KeyValuePair<string, long>>();
        while (members.Count < count)
        {
            var page = await table.ReadMembersAsync(room, after, count, cancellationToken);
            var cursors = await database.HashGetAsync(RedisKeys.Members(room), [.. page.Select(member => (RedisValue)member.Key)]);
            for (var i = 0; i < page.Count && members.Count < count; i++)
            {
                if (cursors[i].HasValue)
                {
                    members.Add(new(page[i].Key, (long)cursors[i]));
                }
            }
            if (page.Count < count)
            {
                break;
            }

            after = page[^1].Key;
        }
        return members;
    }
}
