using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Log;

/// <summary>Asks Redis whether an event repeats one that the log has. Thread-safe.</summary>
internal sealed class KnownNonces(IConnectionMultiplexer redis, TimeProvider time)
{
    /// <summary>
    /// True: the log has an event with this conversation, sender and nonce, and would answer a repeat. False also while Redis cannot be asked.
    /// </summary>
    public async ValueTask<bool> HasAsync(ConversationEvent e, CancellationToken cancellationToken)
    {
        var day = RedisKeys.NonceDay(time.GetUtcNow().ToUnixTimeMilliseconds());
        var partition = e.Conversation.Partition;
        RedisValue field = NonceField.Of(e.Conversation, e.From, e.Nonce);
        var database = redis.GetDatabase();
        try
        {
            // One round trip. Another node's clock may already be in the next day.
            var found = await Task.WhenAll(
                database.HashExistsAsync(RedisKeys.Nonces(partition, day), field),
                database.HashExistsAsync(RedisKeys.Nonces(partition, day - 1), field),
                database.HashExistsAsync(RedisKeys.Nonces(partition, day + 1), field)).WaitAsync(cancellationToken);
            return found.Contains(true);
        }
        catch (Exception fault) when (RedisFaults.IsAwayOrRefused(fault) || fault is ObjectDisposedException)
        {
            return false;
        }
    }
}
