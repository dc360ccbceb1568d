namespace AspireChat.Contracts.Conversations;

/// <summary>
/// The log is split into a fixed number of partitions, and each conversation belongs to exactly one. A partition is the unit of appending
/// (one script call in flight), of persisting (one owner), of the epoch, and of the Redis Cluster slot.
/// </summary>
public static class LogPartitions
{
    /// <summary>
    /// A constant and not a setting, because two services that disagree about it would write one conversation into two logs. Sixteen keeps
    /// batches large on one Redis and still spreads over sixteen cluster primaries. Changing it is a data migration.
    /// </summary>
    public const int Count = 16;

    /// <summary>A stable hash: FNV-1a, 32 bits, over the key's characters, which are all ASCII.</summary>
    public static int Of(ReadOnlySpan<char> conversation)
    {
        var hash = 2166136261u;
        foreach (var c in conversation)
        {
            hash = (hash ^ c) * 16777619u;
        }

        return (int)(hash % Count);
    }
}
