using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>
/// The profiles of users as profile.lua keeps them: fields of <see cref="RedisKeys.Users"/>, <c>moment profile</c>. Reading costs one
/// command for each partition, sent together, however many users are asked for. Thread-safe; throws what <see cref="RedisFaults"/> knows.
/// </summary>
public static class StoredProfiles
{
    /// <summary>Users in one command: a fraction of a millisecond of Redis.</summary>
    private const int FieldsPerCall = 500;

    /// <summary>The profile of each user who has one, as JSON (<see cref="ProfileJson"/>).</summary>
    public static async Task<IReadOnlyDictionary<string, RawJson>> ReadAsync(IDatabase redis, IEnumerable<string> users)
    {
        var calls = users.Distinct(StringComparer.Ordinal).GroupBy(user => ConversationKey.Own(user).Partition)
            .SelectMany(partition => partition.Chunk(FieldsPerCall).Select(part => (
                Users: part, Reply: redis.HashGetAsync(RedisKeys.Users(partition.Key), [.. part.Select(user => (RedisValue)user)]))))
            .ToList();
        await Task.WhenAll(calls.Select(call => call.Reply));
        var profiles = new Dictionary<string, RawJson>(StringComparer.Ordinal);
        foreach (var (names, reply) in calls)
        {
            var values = await reply;
            for (var i = 0; i < names.Length; i++)
            {
                if (JsonOf(values[i]) is { Length: > 0 } json)
                {
                    profiles[names[i]] = new RawJson(json);
                }
            }
        }
        return profiles;
    }

    /// <summary>The value of a field, as profile.lua writes it.</summary>
    public static string Field(long moment, string profile) => $"{moment} {profile}";

    private static string? JsonOf(RedisValue value) =>
        (string?)value is { } text && text.IndexOf(' ') is var space and > 0 ? text[(space + 1)..] : null;
}
