using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// Tells the nodes that content of earlier events is gone (<see cref="PubSubMessage.Erased"/>). A node that does not hear it forgets what it
/// has when its subscription is back.
/// </summary>
internal static class ContentGone
{
    public static async Task TellAsync(IConnectionMultiplexer redis, ConversationKey conversation)
    {
        var message = new PubSubMessage.Erased(conversation.Value).Encode();
        var (first, second) = RedisChannels.Of(conversation);
        var subscriber = redis.GetSubscriber();
        await subscriber.PublishAsync(RedisChannel.Literal(first), message);
        if (second.Length > 0)
        {
            await subscriber.PublishAsync(RedisChannel.Literal(second), message);
        }
    }
}
