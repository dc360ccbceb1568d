using System.Security.Cryptography;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// The consumer's side of the partition logs in Redis. No call blocks on the server. Thread-safe; throws what
/// <see cref="RedisFaults.IsAwayOrRefused"/> knows when Redis cannot be asked.
/// </summary>
internal sealed class PartitionLog(IConnectionMultiplexer redis, ReplicaName replica, IOptions<PersistenceOptions> options)
{
    /// <summary>Conversations in one call of durable.lua: keeps each call well under a millisecond of Redis's one thread.</summary>
    private const int ConversationsPerCall = 200;

    /// <summary>
    /// Records that an entry of the stream is assumed to hold until some have been read; append.lua puts up to 63 events into one.
    /// </summary>
    private const int RecordsPerEntry = 32;

    /// <summary>
    /// Entries read before it is known how large they are, and bytes read in one call after that: an entry has up to 256 KiB, and Redis
    /// serves nobody else while it answers.
    /// </summary>
    private const int FirstEntries = 16;

    private const long BytesPerCall = 2 * 1_024 * 1_024;

    /// <summary>Bytes of records that are carried into PostgreSQL together, about, however many records that are.</summary>
    private const long BytesPerBatch = 16 * 1_024 * 1_024;

    private IDatabase Database => redis.GetDatabase();

    /// <summary>The records are as many, or as large, as were asked for: more are to be expected.</summary>
    public static bool IsFull(List<LogEntry> records, int count) =>
        records.Count >= count || records.Sum(record => record.Raw.Length()) >= BytesPerBatch;

    /// <summary>
    /// What was never delivered, oldest first: about <paramref name="count"/> records, fewer only at the log's end or when they are large.
    /// </summary>
    /// <param name="answersBell">What is appended from now on rings again; otherwise the caller has to look again by itself.</param>
    public async Task<List<LogEntry>> ReadNewAsync(int partition, int count, bool answersBell = true)
    {
        if (answersBell)
        {
            // One connection carries both in this order.
            _ = Database.KeyDeleteAsync(RedisKeys.Rung(partition), CommandFlags.FireAndForget);
        }

        var records = new List<LogEntry>(count);
        var (read, bytes, ask) = (0L, 0L, Math.Clamp(count / RecordsPerEntry, 1, FirstEntries));
        while (true)
        {
            var entries = await Database.StreamReadGroupAsync(
                RedisKeys.Log(partition), RedisKeys.PersistGroup, replica.Value, StreamPosition.NewMessages, ask);
            var known = records.Count;
            Decode(entries, records);
            if (entries.Length < ask || IsFull(records, count))
            {
                return records;
            }

            read += entries.Length;
            bytes += records.Skip(known).Sum(record => record.Raw.Length());
            // Asks for the rest, as if the next entries held as many records as these, and were as large.
            var rest = (count - records.Count) * read / records.Count;
            ask = (int)Math.Max(1, Math.Min(rest, BytesPerCall * read / Math.Max(1, bytes)));
        }
    }

    /// <summary>
    /// Takes over what was delivered to any consumer, this one included, and was not acknowledged for <paramref name="idle"/>.
    /// </summary>
    /// <param name="from">Where to go on; <c>0-0</c> to begin.</param>
    /// <param name="count">About how many records at most.</param>
    /// <returns>The records, and where to go on: <c>0-0</c> at the end.</returns>
    public async Task<(List<LogEntry> Entries, RedisValue Next)> ClaimAsync(int partition, TimeSpan idle, RedisValue from, int count)
    {
        var claimed = await Database.StreamAutoClaimAsync(
            RedisKeys.Log(partition), RedisKeys.PersistGroup, replica.Value, (long)idle.TotalMilliseconds, from,
            Math.Clamp(count / RecordsPerEntry, 1, FirstEntries));
        var records = new List<LogEntry>();
        Decode(claimed.ClaimedEntries, records);
        return (records, claimed.NextStartId);
    }

    /// <summary>
    /// Removes consumers that hold nothing and have been idle for <paramref name="idle"/>: each start of a replica leaves one behind.
    /// </summary>
    public async Task ForgetConsumersAsync(int partition, TimeSpan idle)
    {
        var consumers = await Database.StreamConsumerInfoAsync(RedisKeys.Log(partition), RedisKeys.PersistGroup);
        foreach (var consumer in consumers)
        {
            if (consumer.PendingMessageCount == 0 && consumer.Name != replica.Value
                && consumer.IdleTimeInMilliseconds > idle.TotalMilliseconds)
            {
                await Database.StreamDeleteConsumerAsync(RedisKeys.Log(partition), RedisKeys.PersistGroup, consumer.Name);
            }
        }
    }

    /// <summary>
    /// What follows the commit: buries the rejected records, moves the durable marks and tells the members, then acknowledges and trims.
    /// A repeat is harmless. Returns how many entries are left in the log.
    /// </summary>
    /// <param name="entries">All records of each entry of the stream, as they were read.</param>
    public async Task<long> CompleteAsync(int partition, IReadOnlyList<LogEntry> entries, PersistOutcome result)
    {
        foreach (var bad in result.Rejected.GroupBy(bad => bad.Entry.Id))
        {
            await BuryAsync(partition, bad.Key, [.. bad]);
        }

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
            {
                heads[e.Conversation] = e.Seq;
            }

            if (entry.Position != last)
            {
                arguments.Add(entry.Id);
            }

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
            var keys = new RedisKey[2 + 3 * chunk.Length];
            var arguments = new RedisValue[1 + 4 * chunk.Length];
            keys[0] = RedisKeys.Epoch(partition);
            keys[1] = RedisKeys.Moves(partition);
            arguments[0] = (long)options.Value.TailIdle.TotalSeconds;
            for (var i = 0; i < chunk.Length; i++)
            {
                var (conversation, seq) = chunk[i];
                keys[2 + 3 * i] = RedisKeys.Conversation(conversation);
                keys[3 + 3 * i] = RedisKeys.Tail(conversation);
                keys[4 + 3 * i] = RedisKeys.Revisions(conversation);
                var (channel, second) = RedisChannels.Of(conversation);
                arguments[1 + 4 * i] = conversation.Value;
                arguments[2 + 4 * i] = seq;
                arguments[3 + 4 * i] = channel;
                arguments[4 + 4 * i] = second;
            }
            calls.Add(Database.ScriptEvaluateAsync(RedisScripts.Durable, keys, arguments));
        }
        return calls;
    }

    /// <summary>All rejected records of one stream entry in one call, because the entry can be acknowledged only once.</summary>
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

    private static void Decode(StreamEntry[] entries, List<LogEntry> records)
    {
        foreach (var entry in entries)
        {
            LogEntry.Read(entry, records);
        }
    }
}

/// <summary>
/// Names this replica as consumer and lease holder. New at every start: what the process before left pending is claimed like that of any
/// other consumer, and its leases run out.
/// </summary>
internal sealed record ReplicaName(string Value)
{
    public static ReplicaName New() => new($"{Environment.MachineName}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
}
