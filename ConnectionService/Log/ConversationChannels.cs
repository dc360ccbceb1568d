using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>Where a conversation's events are published: a room's channel, or the channels of both users.</summary>
internal static class ConversationChannels
{
    /// <returns>The second is empty for rooms, and for a user's direct conversation with themselves.</returns>
    public static (string First, string Second) Of(ConversationKey conversation)
    {
        if (conversation.IsRoom)
            return (RedisChannels.Room(conversation.RoomId), "");
        var (first, second) = conversation.Users;
        return (RedisChannels.User(first), first == second ? "" : RedisChannels.User(second));
    }
}
