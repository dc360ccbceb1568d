using System.Security.Cryptography;
using AspireChat.RedisLog;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Opens closed partitions: fills Redis from PostgreSQL, records a new epoch there, and only then sets it in Redis, which is what lets
/// ConnectionService append. One replica at a time does this for a partition.
/// </summary>
internal sealed class PartitionOpener(
    IConnectionMultiplexer redis,
    NpgsqlDataSource database,
    PartitionTable table,
    RedisSeeder seeder,
    PartitionMetrics metrics,
    TimeProvider time,
    ILogger<PartitionOpener> logger)
{
    private const string EpochAlphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>
    /// Opens those of the partitions that no other replica is opening; all of them must be drained. Returns how many it opened.
    /// </summary>
    public async Task<int> OpenAsync(IReadOnlyList<int> partitions, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var mine = await PartitionTable.LockAsync(connection, partitions, cancellationToken);
        try
        {
            // The replica that held the lock before may have opened the partition. Its state must not be thrown away.
            var closed = new List<int>();
            foreach (var partition in mine)
            {
                if (!await redis.GetDatabase().KeyExistsAsync(RedisKeys.Epoch(partition)))
                {
                    closed.Add(partition);
                }
            }
            if (closed.Count == 0)
            {
                return 0;
            }

            var seeded = await seeder.SeedAsync(closed.ToHashSet(), cancellationToken);
            foreach (var partition in closed)
            {
                await OpenAsync(connection, partition, cancellationToken);
            }

            metrics.Opened(closed.Count, time.GetElapsedTime(started));
            PartitionMessages.Opened(
                logger, closed.Count, seeded.Conversations, seeded.Members, seeded.Nonces,
                (long)time.GetElapsedTime(started).TotalMilliseconds);
            return closed.Count;
        }
        finally
        {
            // Advisory locks belong to the session, and the pool keeps sessions.
            await using var unlock = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", connection);
            await unlock.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task OpenAsync(NpgsqlConnection connection, int partition, CancellationToken cancellationToken)
    {
        var epoch = RandomNumberGenerator.GetString(EpochAlphabet, 8);
        var committed = await table.RecordEpochAsync(connection, partition, epoch, cancellationToken);
        await redis.GetDatabase().ScriptEvaluateAsync(
            RedisScripts.Open,
            [RedisKeys.Epoch(partition), RedisKeys.Log(partition), RedisKeys.Committed(partition)],
            [epoch, committed.ToString()]);
    }
}
