using AspireChat.Contracts.Conversations;

namespace AspireChat.Contracts.Redis;

/// <summary>
/// Every pub/sub channel of the project. What travels on them is in <see cref="ChannelMessage"/>. A channel is a doorbell, never the
/// record: whatever must not be lost is in a stream as well.
/// </summary>
public static class RedisChannels
{
    /// <summary>All traffic of a room. A replica subscribes while it has local members.</summary>
    public static string Room(string room) => $"{RedisKeys.Tag(ConversationKey.Room(room).Partition)}:room:{room}";

    /// <summary>Direct messages of both sides, receipts and control of one user. A replica subscribes while the user is connected there.</summary>
    public static string User(string user) => $"user:{user}";

    /// <summary>Control of one replica: its own subscription probes.</summary>
    public static string Node(string node) => $"node:{node}";

    /// <summary>Rung once per append call; wakes the partition's owner among the PersistenceService replicas.</summary>
    public static string LogBell(int partition) => $"{RedisKeys.Tag(partition)}:bell";
}
