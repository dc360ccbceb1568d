using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Redis;
using AspireChat.PersistenceService.Writing;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// The consumer's side of the partition logs in Redis. No call blocks on the server. Thread-safe; throws <see cref="RedisException"/> or
/// <see cref="TimeoutException"/> when Redis cannot be asked.
/// </summary>
internal sealed class PartitionLog(IConnectionMultiplexer redis, ReplicaName replica)
{
    /// <summary>Conversations in one call of durable.lua: keeps each call well under a millisecond of Redis's one thread.</summary>
    private const int ConversationsPerCall = 200;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>Entries never delivered to anybody, oldest first.</summary>
    public async Task<List<LogEntry>> ReadNewAsync(int partition, int count) => Decode(await Database.StreamReadGroupAsync(
        RedisKeys.Log(partition), RedisKeys.PersistGroup, replica.Value, StreamPosition.NewMessages, count));

    /// <summary>
    /// Takes over entries that were delivered to whomever, this replica included, and not acknowledged for that long.
    /// </summary>
    /// <param name="from">Where to go on; <c>0-0</c> to begin.</param>
    /// <returns>The entries, and where to go on: <c>0-0</c> at the end.</returns>
    public async Task<(List<LogEntry> Entries, RedisValue Next)> ClaimAsync(int partition, TimeSpan idle, RedisValue from, int count)
    {
        var claimed = await Database.StreamAutoClaimAsync(
            RedisKeys.Log(partition), RedisKeys.PersistGroup, replica.Value, (long)idle.TotalMilliseconds, from, count);
        return (Decode(claimed.ClaimedEntries), claimed.NextStartId);
    }

    /// <summary>
    /// Removes consumers that hold nothing and have not been seen for that long: each start of a replica leaves one behind.
    /// </summary>
    public async Task ForgetConsumersAsync(int partition, TimeSpan idle)
    {
        var consumers = await Database.StreamConsumerInfoAsync(RedisKeys.Log(partition), RedisKeys.PersistGroup);
        foreach (var consumer in consumers)
        {
            if (consumer.PendingMessageCount == 0 && consumer.Name != replica.Value
                && consumer.IdleTimeInMilliseconds > idle.TotalMilliseconds)
                await Database.StreamDeleteConsumerAsync(RedisKeys.Log(partition), RedisKeys.PersistGroup, consumer.Name);
        }
    }

    /// <summary>
    /// After the commit: buries what was rejected, moves the durable marks and tells the members, then acknowledges and trims.
    /// A repeat is harmless. Returns how many entries are left in the log.
    /// </summary>
    public async Task<long> CompleteAsync(int partition, IReadOnlyList<LogEntry> entries, PersistOutcome result)
    {
        var rejected = new HashSet<RedisValue>();
        foreach (var bad in result.Rejected)
        {
            rejected.Add(bad.Entry.Id);
            await BuryAsync(partition, bad);
        }
        // The calls of one batch go out together and are answered in order.
        var heads = new Dictionary<ConversationKey, long>();
        foreach (var entry in entries)
        {
            if (entry.Record is ConversationEvent e && !rejected.Contains(entry.Id)
                && (!heads.TryGetValue(e.Conversation, out var seq) || seq < e.Seq))
                heads[e.Conversation] = e.Seq;
        }
        var marks = MarkDurable(partition, heads);
        var arguments = new RedisValue[2 + entries.Count];
        arguments[0] = RedisKeys.PersistGroup;
        arguments[1] = result.Committed == LogPosition.None ? "" : result.Committed.ToString();
        for (var i = 0; i < entries.Count; i++)
            arguments[2 + i] = entries[i].Id;
        var left = Database.ScriptEvaluateAsync(
            RedisScripts.Acknowledge, [RedisKeys.Log(partition), RedisKeys.Committed(partition)], arguments);
        await Task.WhenAll(marks);
        return (long)await left;
    }

    /// <summary>
    /// Moves durable marks of one partition's conversations forward, a call for up to <see cref="ConversationsPerCall"/> of them.
    /// </summary>
    public List<Task> MarkDurable(int partition, IEnumerable<KeyValuePair<ConversationKey, long>> marks)
    {
        var calls = new List<Task>();
        foreach (var chunk in marks.Chunk(ConversationsPerCall))
        {
            var keys = new RedisKey[1 + chunk.Length];
            var arguments = new RedisValue[4 * chunk.Length];
            keys[0] = RedisKeys.Epoch(partition);
            for (var i = 0; i < chunk.Length; i++)
            {
                var (conversation, seq) = chunk[i];
                keys[1 + i] = RedisKeys.Conversation(conversation);
                var (channel, second) = ChannelsOf(conversation);
                arguments[4 * i] = conversation.Value;
                arguments[4 * i + 1] = seq;
                arguments[4 * i + 2] = channel;
                arguments[4 * i + 3] = second;
            }
            calls.Add(Database.ScriptEvaluateAsync(RedisScripts.Durable, keys, arguments));
        }
        return calls;
    }

    private Task BuryAsync(int partition, RejectedEntry bad)
    {
        var entry = bad.Entry;
        var known = ConversationKey.TryParse(entry.Conversation, out var conversation) && conversation.Partition == partition;
        RedisKey log = RedisKeys.Log(partition);
        var hold = known && bad.Missing ? "1" : "0";
        return Database.ScriptEvaluateAsync(
            RedisScripts.Bury,
            // Without a conversation there is nothing to hold back; the log stands in for a key of the same slot.
            [log, RedisKeys.DeadLetters(partition), known ? RedisKeys.Conversation(conversation) : log],
            [RedisKeys.PersistGroup, entry.Id, entry.Conversation, entry.Seq, entry.Epoch, entry.Raw, bad.Reason, hold]);
    }

    /// <summary>
    /// Where a conversation's traffic is published: the room's channel, or both users' (the second is empty if there is none).
    /// </summary>
    private static (string Channel, string Second) ChannelsOf(ConversationKey conversation)
    {
        if (conversation.IsRoom)
            return (RedisChannels.Room(conversation.RoomId), "");
        var (first, second) = conversation.Users;
        return (RedisChannels.User(first), first == second ? "" : RedisChannels.User(second));
    }

    private static List<LogEntry> Decode(StreamEntry[] entries)
    {
        var decoded = new List<LogEntry>(entries.Length);
        foreach (var entry in entries)
            decoded.Add(LogEntry.Of(entry));
        return decoded;
    }
}
