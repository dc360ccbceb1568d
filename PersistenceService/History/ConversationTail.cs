using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.History;

/// <summary>A conversation's place and newest events at one moment.</summary>
/// <param name="Epoch">Empty: the partition is closed and nothing is known.</param>
/// <param name="Durable">Everything up to this seq is in PostgreSQL.</param>
/// <param name="Events">Newest first; gapless from the head down to <see cref="Lowest"/>.</param>
internal sealed record ConversationTail(string Epoch, long Head, long Durable, IReadOnlyList<ConversationEvent> Events)
{
    /// <summary>The lowest seq down to which the events are complete; head + 1 when there are none.</summary>
    public long Lowest => Head + 1 - Events.Count;

    /// <summary>Every event that is not in PostgreSQL is here.</summary>
    public bool CoversUncommitted => Lowest <= Durable + 1;

    /// <summary>Reads the tail: all that is not committed, and the page if it begins at most <paramref name="near"/> events below the head.</summary>
    /// <param name="limit">Most events to read, counted from the head.</param>
    /// <exception cref="RedisException">Redis cannot be asked.</exception>
    public static async Task<ConversationTail> ReadAsync(IDatabase redis, ConversationKey conversation, PageRequest page, long near, int limit)
    {
        var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
            RedisScripts.Tail,
            [RedisKeys.Epoch(conversation.Partition), RedisKeys.Conversation(conversation), RedisKeys.Tail(conversation)],
            [page.Before ?? RedisValue.EmptyString, page.After ?? RedisValue.EmptyString, page.Limit, near, limit]))!;
        var epoch = (string)reply[0]!;
        var head = (long)reply[1];
        var events = new List<ConversationEvent>();
        foreach (var entry in (RedisResult[])reply[3]!)
        {
            var parts = (RedisResult[])entry!;
            var id = (string)parts[0]!;
            var fields = (RedisResult[])parts[1]!;
            var at = long.Parse(id.AsSpan(0, id.IndexOf('-')));
            // Where the chain breaks (an unreadable record, a gap), the tail is of no use any further down.
            if (at != head - events.Count || LogRecordCodec.Decode((byte[])fields[1]!, at, epoch) is not ConversationEvent e)
                break;
            events.Add(e);
        }
        return new ConversationTail(epoch, head, (long)reply[2], events);
    }
}
