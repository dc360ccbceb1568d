using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>What inspect.lua saw of a partition at one moment.</summary>
/// <param name="Epoch">Empty: the partition is closed.</param>
/// <param name="Committed">The last log entry that Redis knows as committed.</param>
/// <param name="HasKnownEntry">The entry that PostgreSQL knows as committed is still in the log.</param>
/// <param name="Behind">The log has entries that were not delivered.</param>
/// <param name="Held">Entries are delivered and not acknowledged, or there is more than one consumer.</param>
internal sealed record PartitionState(string Epoch, LogPosition Committed, bool HasKnownEntry, bool HasGroup, bool Behind, bool Held, bool Pending)
{
    /// <summary>The group exists, and everything in the log is delivered and acknowledged.</summary>
    public bool Drained => HasGroup && !Behind && !Pending;

    public static async Task<PartitionState> ReadAsync(IDatabase redis, int partition, LogPosition known)
    {
        var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
            RedisScripts.Inspect,
            [RedisKeys.Epoch(partition), RedisKeys.Log(partition), RedisKeys.Committed(partition)],
            [RedisKeys.PersistGroup, known.ToString()]))!;
        return new PartitionState(
            (string)reply[0]!,
            LogPosition.Parse((string)reply[1]!),
            (int)reply[2] == 1,
            (int)reply[3] == 1,
            (int)reply[5] == 1,
            (long)reply[4] > 0 || (long)reply[7] > 1,
            (long)reply[4] > 0);
    }

    /// <summary>
    /// Why the partition cannot go on as it is, or null. Redis is a different one than PostgreSQL knows: its epoch is unknown; it has lost
    /// the last committed entry without ever having noted the commit; or PostgreSQL itself was restored and is behind what Redis noted.
    /// </summary>
    /// <param name="known">What PostgreSQL knew before this state was read.</param>
    /// <param name="notedBefore">What Redis had noted before <paramref name="known"/> was read.</param>
    public string? FaultAgainst(KnownPartition? known, LogPosition notedBefore) => known switch
    {
        null => "the database does not know the partition",
        { } k when k.Epoch != Epoch => "the epoch is unknown",
        { } k when Committed < k.Committed && !HasKnownEntry => "the log is behind the database",
        { } k when k.Committed < notedBefore => "the database is behind the log",
        _ => null,
    };
}
