using AspireChat.Contracts.Conversations;

namespace AspireChat.RedisLog;

/// <summary>
/// Every pub/sub channel of the project. <see cref="PubSubMessage"/> has what travels on them, but for <see cref="LogBell"/>. A channel is
/// a doorbell, never the record: what must not be lost is in a stream as well.
/// </summary>
public static class RedisChannels
{
    /// <summary>All traffic of a room. A replica subscribes while it has local members.</summary>
    public static string Room(string room) => $"{RedisKeys.Tag(ConversationKey.Room(room).Partition)}:room:{room}";

    /// <summary>Direct messages of both sides, receipts and control of a user. A replica subscribes while it serves the user.</summary>
    public static string User(string user) => $"user:{user}";

    /// <summary>Where a conversation's events are published: the room's channel, or the channels of both users.</summary>
    /// <returns>The second is empty for rooms, and for a user's direct conversation with themselves.</returns>
    public static (string First, string Second) Of(ConversationKey conversation)
    {
        if (conversation.IsRoom)
        {
            return (Room(conversation.RoomId), "");
        }
        var (first, second) = conversation.Users;
        return (User(first), first == second ? "" : User(second));
    }

    /// <summary>Control of one replica: its own subscription probes.</summary>
    public static string Node(string node) => $"node:{node}";

    /// <summary>Rung with any payload by an append call after which the log is to be read (<see cref="RedisKeys.Rung"/>). It wakes the PersistenceService replica that owns the partition.</summary>
    public static string LogBell(int partition) => $"{RedisKeys.Tag(partition)}:bell";
}
