using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Partitions;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Erasure;

/// <summary>Waits until everything that is in the log now is committed. Thread-safe.</summary>
internal sealed class CommittedLog(IConnectionMultiplexer redis, PartitionTable table, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <exception cref="RedisException">Redis cannot be asked.</exception>
    /// <exception cref="Npgsql.NpgsqlException">PostgreSQL cannot be asked.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var last = new LogPosition[LogPartitions.Count];
        for (var partition = 0; partition < last.Length; partition++)
        {
            var newest = await redis.GetDatabase().StreamRangeAsync(RedisKeys.Log(partition), count: 1, messageOrder: Order.Descending);
            last[partition] = newest is [var entry] ? LogPosition.Parse(entry.Id.ToString()) : LogPosition.None;
        }

        while (true)
        {
            var known = await table.ReadAsync(cancellationToken);
            if (Enumerable.Range(0, last.Length).All(
                partition => !(known.GetValueOrDefault(partition).Committed < last[partition])))
            {
                return;
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
