using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <param name="Events">In seq order, without a hole.</param>
/// <param name="Head">The conversation's head when the slice was read.</param>
/// <param name="Complete">
/// True when <paramref name="Events"/> starts right after the seq asked for, or nothing is missing: the tail still held what was asked for.
/// </param>
public sealed record TailSlice(IReadOnlyList<ConversationEvent> Events, long Head, string Epoch, bool Complete)
{
    /// <summary>The seq of a record that cannot be read and so ends the slice; 0 when there is none.</summary>
    public long Unreadable { get; init; }
}

/// <summary>A conversation's place and newest events at one moment.</summary>
/// <param name="Epoch">Empty: the partition is closed and nothing is known.</param>
/// <param name="Durable">Everything up to this seq is in PostgreSQL.</param>
/// <param name="Events">Newest first, without a hole from the head down to <see cref="Lowest"/>.</param>
public sealed record ConversationTail(string Epoch, long Head, long Durable, IReadOnlyList<ConversationEvent> Events)
{
    /// <summary>The lowest seq down to which the events are complete; head + 1 when there are none.</summary>
    public long Lowest => Head + 1 - Events.Count;

    /// <summary>Every event that is not in PostgreSQL is here.</summary>
    public bool CoversUncommitted => Lowest <= Durable + 1;
}

/// <summary>
/// Reads the tail of a conversation: its recent events, and all that are not committed yet. append.lua writes it: an entry <c>seq-0</c> of
/// <see cref="RedisKeys.Tail"/> for each event. An event whose content was deleted has no entry any more; what is left of it stands under
/// its seq in <see cref="RedisKeys.Revisions"/>. Thread-safe; throws what <see cref="RedisFaults"/> knows when Redis cannot be asked.
/// </summary>
public static class TailReader
{
    /// <summary>About <paramref name="limit"/> events above <paramref name="afterSeq"/>, oldest first; redacted ones come on top.</summary>
    /// <returns>Null while the partition is closed.</returns>
    public static async Task<TailSlice?> ReadAfterAsync(IDatabase redis, ConversationKey conversation, long afterSeq, int limit)
    {
        // One transaction: head and epoch belong to exactly the entries that come with them.
        var transaction = redis.CreateTransaction();
        var epochTask = transaction.StringGetAsync(RedisKeys.Epoch(conversation.Partition));
        var headTask = transaction.HashGetAsync(RedisKeys.Conversation(conversation), ConversationFields.Head);
        var entriesTask = transaction.StreamRangeAsync(RedisKeys.Tail(conversation), $"{afterSeq + 1}-0", "+", limit);
        var revisionsTask = transaction.HashGetAllAsync(RedisKeys.Revisions(conversation));
        await transaction.ExecuteAsync();
        if ((string?)await epochTask is not { } epoch)
        {
            return null;
        }
        var head = (long)await headTask;
        var records = RecordsOf(await entriesTask, await revisionsTask);
        var events = Follow(records, afterSeq + 1, step: 1, epoch);
        var next = afterSeq + events.Count + 1;
        var unreadable = records.ContainsKey(next) ? next : 0;
        return new TailSlice(events, head, epoch, Complete: events.Count > 0 || head <= afterSeq) { Unreadable = unreadable };
    }

    /// <summary>
    /// All events that are not committed, and the page if it begins at most <paramref name="near"/> events below the head: tail.lua.
    /// </summary>
    /// <param name="before">The page lies below this seq; null: below the head, the head included.</param>
    /// <param name="after">The page lies above this seq; null: it does not look forward.</param>
    /// <param name="count">Events in the page.</param>
    /// <param name="limit">Most events to read, counted from the head.</param>
    public static async Task<ConversationTail> ReadNewestAsync(
        IDatabase redis, ConversationKey conversation, long? before, long? after, int count, long near, int limit)
    {
        var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
            RedisScripts.Tail,
            [
                RedisKeys.Epoch(conversation.Partition),
                RedisKeys.Conversation(conversation),
                RedisKeys.Tail(conversation),
                RedisKeys.Revisions(conversation),
            ],
            [before ?? RedisValue.EmptyString, after ?? RedisValue.EmptyString, count, near, limit]))!;
        var epoch = (string)reply[0]!;
        var head = (long)reply[1];
        var records = new Dictionary<long, ReadOnlyMemory<byte>>();
        var redacted = (RedisResult[])reply[4]!;
        for (var i = 0; i < redacted.Length; i += 2)
        {
            records[(long)redacted[i]] = (byte[])redacted[i + 1]!;
        }
        foreach (var entry in (RedisResult[])reply[3]!)
        {
            var parts = (RedisResult[])entry!;
            records[SeqOf((string)parts[0]!)] = (byte[])((RedisResult[])parts[1]!)[1]!;
        }
        return new ConversationTail(epoch, head, (long)reply[2], Follow(records, head, step: -1, epoch));
    }

    /// <summary>The readable events that the tail has from one seq to another, both included, in no order; there may be holes.</summary>
    public static async Task<List<ConversationEvent>> ReadRangeAsync(
        IDatabase redis, ConversationKey conversation, long from, long to, string epoch)
    {
        var range = redis.StreamRangeAsync(RedisKeys.Tail(conversation), $"{from}-0", $"{to}-0");
        var revisions = await redis.HashGetAllAsync(RedisKeys.Revisions(conversation));
        return
        [
            .. RecordsOf(await range, revisions).Where(record => record.Key >= from && record.Key <= to)
                .Select(record => LogRecordCodec.Decode(record.Value.Span, record.Key, epoch)).OfType<ConversationEvent>(),
        ];
    }

    /// <summary>Both places of the tail as one: the records by seq.</summary>
    private static Dictionary<long, ReadOnlyMemory<byte>> RecordsOf(StreamEntry[] entries, HashEntry[] revisions)
    {
        var records = new Dictionary<long, ReadOnlyMemory<byte>>(entries.Length);
        foreach (var revision in revisions)
        {
            // The other fields are lists of edits.
            if (revision.Name.TryParse(out long seq))
            {
                records[seq] = revision.Value;
            }
        }
        foreach (var entry in entries)
        {
            records[SeqOf(entry.Id.ToString())] = entry[TailFields.Record];
        }
        return records;
    }

    /// <summary>The events from one seq on, up to a hole or an unreadable record: beyond that the tail is of no use.</summary>
    private static List<ConversationEvent> Follow(Dictionary<long, ReadOnlyMemory<byte>> records, long first, int step, string epoch)
    {
        var events = new List<ConversationEvent>(records.Count);
        for (var seq = first;
            records.TryGetValue(seq, out var record) && LogRecordCodec.Decode(record.Span, seq, epoch) is ConversationEvent e;
            seq += step)
        {
            events.Add(e);
        }
        return events;
    }

    private static long SeqOf(string entryId) => long.Parse(entryId.AsSpan(0, entryId.IndexOf('-')), CultureInfo.InvariantCulture);
}
