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

    /// <summary>
    /// Records that an entry of the stream is taken to hold until one has been seen; append.lua puts up to 63 events into one.
    /// </summary>
    private const int RecordsPerEntry = 32;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>What was never delivered to anybody, oldest first: about <paramref name="count"/> records, less only at the log's end.</summary>
    public async Task<List<LogEntry>> ReadNewAsync(int partition, int count)
    {
        var records = new List<LogEntry>(count);
        var (read, ask) = (0, Math.Max(1, count / RecordsPerEntry));
        while (true)
        {
            var entries = await Database.StreamReadGroupAsync(
                RedisKeys.Log(partition), RedisKeys.PersistGroup, replica.Value, StreamPosition.NewMessages, ask);
            Decode(entries, records);
            if (entries.Length < ask || records.Count >= count)
                return records;
            read += entries.Length;
            // The rest, if what follows is like what came.
            ask = Math.Max(1, (count - records.Count) * read / records.Count);
        }
    }

    /// <summary>
    /// Takes over what was delivered to whomever, this replica included, and not acknowledged for that long.
    /// </summary>
    /// <param name="from">Where to go on; <c>0-0</c> to begin.</param>
    /// <param name="count">About how many records at most.</param>
    /// <returns>The records, and where to go on: <c>0-0</c> at the end.</returns>
    public async Task<(List<LogEntry> Entries, RedisValue Next)> ClaimAsync(int partition, TimeSpan idle, RedisValue from, int count)
    {
        var claimed = await Database.StreamAutoClaimAsync(
            RedisKeys.Log(partition), RedisKeys.PersistGroup, replica.Value, (long)idle.TotalMilliseconds, from,
            Math.Max(1, count / RecordsPerEntry));
        var records = new List<LogEntry>();
        Decode(claimed.ClaimedEntries, records);
        return (records, claimed.NextStartId);
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
    /// <param name="entries">All records of each entry of the stream, as they were read.</param>
    public async Task<long> CompleteAsync(int partition, IReadOnlyList<LogEntry> entries, PersistOutcome result)
    {
        foreach (var bad in result.Rejected.GroupBy(bad => bad.Entry.Id))
            await BuryAsync(partition, bad.Key, [.. bad]);
        var rejected = new HashSet<LogEntry>(result.Rejected.Select(bad => bad.Entry), ReferenceEqualityComparer.Instance);
        // The calls of one batch go out together and are answered in order.
        var heads = new Dictionary<ConversationKey, long>();
        List<RedisValue> arguments =
        [
            RedisKeys.PersistGroup, result.Committed == LogPosition.None ? "" : result.Committed.ToString(),
        ];
        var last = LogPosition.None;
        foreach (var entry in entries)
        {
            if (entry.Record is ConversationEvent e && !rejected.Contains(entry)
                && (!heads.TryGetValue(e.Conversation, out var seq) || seq < e.Seq))
                heads[e.Conversation] = e.Seq;
            if (entry.Position != last)
                arguments.Add(entry.Id);
            last = entry.Position;
        }
        var marks = MarkDurable(partition, heads);
        var left = Database.ScriptEvaluateAsync(
            RedisScripts.Acknowledge, [RedisKeys.Log(partition), RedisKeys.Committed(partition)], [.. arguments]);
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

    /// <summary>All that was rejected of one entry of the stream at once: it can be acknowledged only once.</summary>
    private Task BuryAsync(int partition, RedisValue id, IReadOnlyList<RejectedEntry> rejected)
    {
        var keys = new RedisKey[2 + rejected.Count];
        keys[0] = RedisKeys.Log(partition);
        keys[1] = RedisKeys.DeadLetters(partition);
        List<RedisValue> arguments = [RedisKeys.PersistGroup, id];
        for (var i = 0; i < rejected.Count; i++)
        {
            var (entry, reason, missing) = rejected[i];
            var known = ConversationKey.TryParse(entry.Conversation, out var conversation) && conversation.Partition == partition;
            // Without a conversation there is nothing to hold back; the log stands in for a key of the same slot.
            keys[2 + i] = known ? RedisKeys.Conversation(conversation) : RedisKeys.Log(partition);
            arguments.AddRange([entry.Conversation, entry.Seq, entry.Epoch, entry.Raw, reason, known && missing ? "1" : "0"]);
        }
        return Database.ScriptEvaluateAsync(RedisScripts.Bury, keys, [.. arguments]);
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

    private static void Decode(StreamEntry[] entries, List<LogEntry> records)
    {
        foreach (var entry in entries)
            LogEntry.Read(entry, records);
    }
}
