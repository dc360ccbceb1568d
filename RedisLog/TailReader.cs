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

    /// <summary>Nothing up to this seq can be had from anywhere: the room was deleted.</summary>
    public long Floor { get; init; }
}

/// <summary>A conversation's place and newest events at one moment.</summary>
/// <param name="Epoch">Empty: the partition is closed and nothing is known.</param>
/// <param name="Durable">Everything up to this seq is in PostgreSQL.</param>
/// <param name="Events">Newest first, without a hole from the head down to <see cref="Lowest"/>.</param>
public sealed record ConversationTail(string Epoch, long Head, long Durable, IReadOnlyList<ConversationEvent> Events)
{
    /// <summary>The lowest seq down to which the events are complete; head + 1 when there are none.</summary>
    public long Lowest => Head + 1 - Events.Count;

    /// <summary>Nothing up to this seq is to be read: the room was deleted.</summary>
    public long Floor { get; init; }

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
    /// <summary>
    /// About the most bytes in one answer of Redis, which serves nobody else meanwhile: a fraction of a millisecond. More is read in
    /// several calls.
    /// </summary>
    private const int BytesPerCall = 256 * 1_024;

    /// <summary>The most bytes that one reading holds, unless the caller says otherwise: about 4 MiB.</summary>
    public const int MostBytes = 4 * 1_024 * 1_024;

    /// <summary>
    /// At most <paramref name="limit"/> events above <paramref name="afterSeq"/>, oldest first, and fewer where they exceed
    /// <see cref="MostBytes"/>: after.lua.
    /// </summary>
    /// <returns>Null while the partition is closed.</returns>
    public static async Task<TailSlice?> ReadAfterAsync(IDatabase redis, ConversationKey conversation, long afterSeq, int limit)
    {
        var records = new Dictionary<long, ReadOnlyMemory<byte>>();
        var (epoch, head, bytes, last, floor) = ("", 0L, 0, afterSeq, 0L);
        while (true)
        {
            var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
                RedisScripts.After, KeysOf(conversation), [last, limit - records.Count, BytesPerCall]))!;
            var now = (string)reply[0]!;
            if (epoch.Length == 0)
            {
                if (now.Length == 0)
                {
                    return null;
                }

                (epoch, head, floor) = (now, (long)reply[1], reply.Length > 4 ? (long)reply[4] : 0);
            }
            // Another life of the log has begun: what was read belongs together and ends here.
            var added = now == epoch ? Add(records, reply[3], ref bytes) : 0;
            last += added;
            if (added == 0 || records.Count >= limit || bytes >= MostBytes || last >= head)
            {
                break;
            }
        }

        var events = Follow(records, afterSeq + 1, step: 1, epoch);
        var next = afterSeq + events.Count + 1;
        var unreadable = records.ContainsKey(next) ? next : 0;
        return new TailSlice(events, events.Count > 0 ? Math.Max(head, events[^1].Seq) : head, epoch, Complete: events.Count > 0 || head <= afterSeq)
        {
            Unreadable = unreadable,
            Floor = floor,
        };
    }

    /// <summary>
    /// All events that are not committed, and the page if it begins at most <paramref name="near"/> events below the head: tail.lua.
    /// </summary>
    /// <param name="before">The page lies below this seq; null: below the head, the head included.</param>
    /// <param name="after">The page lies above this seq; null: it does not look forward.</param>
    /// <param name="count">Events in the page.</param>
    /// <param name="limit">Most events to read, counted from the head.</param>
    /// <param name="mostBytes">About the most bytes to read, counted from the head.</param>
    public static async Task<ConversationTail> ReadNewestAsync(
        IDatabase redis, ConversationKey conversation, long? before, long? after, int count, long near, int limit, int mostBytes = MostBytes)
    {
        var records = new Dictionary<long, ReadOnlyMemory<byte>>();
        var (epoch, head, durable, lowest, bytes, last, floor) = ("", 0L, 0L, 0L, 0, 0L, 0L);
        while (true)
        {
            var isFirst = epoch.Length == 0;
            var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
                RedisScripts.Tail,
                KeysOf(conversation),
                [
                    before ?? RedisValue.EmptyString, after ?? RedisValue.EmptyString, count, near, limit - records.Count,
                    Math.Min(BytesPerCall, mostBytes - bytes), isFirst ? RedisValue.EmptyString : last, lowest,
                ]))!;
            var now = (string)reply[0]!;
            if (isFirst)
            {
                (epoch, head, durable, lowest) = (now, (long)reply[1], (long)reply[2], (long)reply[4]);
                floor = reply.Length > 5 ? (long)reply[5] : 0;
                last = head + 1;
            }
            var added = now == epoch && now.Length > 0 ? Add(records, reply[3], ref bytes) : 0;
            last -= added;
            if (added == 0 || records.Count >= limit || bytes >= mostBytes || last <= lowest)
            {
                break;
            }
        }

        return new ConversationTail(epoch, head, Math.Max(durable, floor), Follow(records, head, step: -1, epoch)) { Floor = floor };
    }

    /// <summary>The readable events that the tail has from one seq to another, both included, in order; there is no hole among them.</summary>
    public static async Task<List<ConversationEvent>> ReadRangeAsync(
        IDatabase redis, ConversationKey conversation, long from, long to, string epoch)
    {
        var slice = await ReadAfterAsync(redis, conversation, from - 1, (int)Math.Min(to - from + 1, int.MaxValue));
        return slice is null || slice.Epoch != epoch ? [] : [.. slice.Events];
    }

    private static RedisKey[] KeysOf(ConversationKey conversation) =>
    [
        RedisKeys.Epoch(conversation.Partition),
        RedisKeys.Conversation(conversation),
        RedisKeys.Tail(conversation),
        RedisKeys.Revisions(conversation),
    ];

    /// <summary>Adds what an answer has as seq, record, seq, record, …; returns how many.</summary>
    private static int Add(Dictionary<long, ReadOnlyMemory<byte>> records, RedisResult answer, ref int bytes)
    {
        var items = (RedisResult[])answer!;
        for (var i = 0; i < items.Length; i += 2)
        {
            var record = (byte[])items[i + 1]!;
            records[(long)items[i]] = record;
            bytes += record.Length;
        }
        return items.Length / 2;
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
}
