using AspireChat.RedisLog;
using Npgsql;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>What PostgreSQL knows of a partition.</summary>
internal readonly record struct KnownPartition(string Epoch, LogPosition Committed);

/// <summary>The table of partitions. Thread-safe.</summary>
internal sealed class PartitionTable(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Distinguishes these advisory locks from others of the database; the second key is the partition.</summary>
    private const int LockClass = 0x_4153_5043;

    public async Task<IReadOnlyDictionary<int, KnownPartition>> ReadAsync(CancellationToken cancellationToken)
    {
        var known = new Dictionary<int, KnownPartition>();
        await using var command = database.CreateCommand("SELECT partition, epoch, committed FROM partitions");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            known[reader.GetInt16(0)] = new KnownPartition(reader.GetString(1), new LogPosition(reader.GetInt64(2)));
        }

        return known;
    }

    /// <summary>Those of the partitions whose lock was free; held until the connection closes.</summary>
    public static async Task<List<int>> LockAsync(
        NpgsqlConnection connection, IEnumerable<int> partitions, CancellationToken cancellationToken)
    {
        var locked = new List<int>();
        foreach (var partition in partitions)
        {
            await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1, $2)", connection)
            {
                Parameters = { new() { Value = LockClass }, new() { Value = partition } },
            };
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                locked.Add(partition);
            }
        }
        return locked;
    }

    /// <summary>Records a partition's new epoch, and returns how far its log is committed.</summary>
    public async Task<LogPosition> RecordEpochAsync(
        NpgsqlConnection connection, int partition, string epoch, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO partitions (partition, epoch, committed, opened_at) VALUES ($1, $2, 0, $3)
            ON CONFLICT (partition) DO UPDATE SET epoch = excluded.epoch, opened_at = excluded.opened_at
            RETURNING committed
            """,
            connection)
        {
            Parameters = { new() { Value = (short)partition }, new() { Value = epoch }, new() { Value = time.GetUtcNow().UtcDateTime } },
        };
        return new LogPosition((long)(await command.ExecuteScalarAsync(cancellationToken))!);
    }
}
