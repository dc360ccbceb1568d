using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>
/// Reads large sets and hashes a part at a time, so that Redis is not held up. What is in the key all the time is read; what comes or goes
/// meanwhile may be; some may come twice. (The client's own scan fails in another way than other calls while Redis is away.) Thread-safe;
/// throws what <see cref="RedisFaults"/> knows.
/// </summary>
public static class RedisScan
{
    /// <summary>About the names in one answer of Redis: a small part of a millisecond.</summary>
    private const int Part = 500;

    /// <summary>The members of a set.</summary>
    public static IAsyncEnumerable<RedisValue> MembersAsync(IDatabase redis, RedisKey set, CancellationToken cancellationToken) =>
        ScanAsync(redis, "SSCAN", set, step: 1, cancellationToken);

    /// <summary>The names of a hash's fields.</summary>
    public static IAsyncEnumerable<RedisValue> FieldsAsync(IDatabase redis, RedisKey hash, CancellationToken cancellationToken) =>
        ScanAsync(redis, "HSCAN", hash, step: 2, cancellationToken);

    /// <summary>A hash's fields whose names match a pattern, with their values.</summary>
    public static async IAsyncEnumerable<(RedisValue Name, RedisValue Value)> PairsAsync(
        IDatabase redis, RedisKey hash, string pattern, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = "0";
        do
        {
            var reply = (RedisResult[])(await redis.ExecuteAsync("HSCAN", hash, cursor, "MATCH", pattern, "COUNT", Part).WaitAsync(cancellationToken))!;
            cursor = (string)reply[0]!;
            var items = (RedisValue[])reply[1]!;
            for (var i = 0; i < items.Length; i += 2)
            {
                yield return (items[i], items[i + 1]);
            }
        }
        while (cursor != "0");
    }

    private static async IAsyncEnumerable<RedisValue> ScanAsync(
        IDatabase redis, string command, RedisKey key, int step, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = "0";
        do
        {
            var reply = (RedisResult[])(await redis.ExecuteAsync(command, key, cursor, "COUNT", Part).WaitAsync(cancellationToken))!;
            cursor = (string)reply[0]!;
            var items = (RedisValue[])reply[1]!;
            for (var i = 0; i < items.Length; i += step)
            {
                yield return items[i];
            }
        }
        while (cursor != "0");
    }
}
