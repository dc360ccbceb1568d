using System.Globalization;
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

    /// <summary>
    /// Reads the tail: all that is not committed, and the page if it begins at most <paramref name="near"/> events below the head.
    /// </summary>
    /// <param name="limit">Most events to read, counted from the head.</param>
    /// <exception cref="RedisException">Redis cannot be asked.</exception>
    public static async Task<ConversationTail> ReadAsync(
        IDatabase redis, ConversationKey conversation, PageRequest page, long near, int limit)
    {
        var reply = (RedisResult[])(await redis.ScriptEvaluateAsync(
            RedisScripts.Tail,
            [
                RedisKeys.Epoch(conversation.Partition),
                RedisKeys.Conversation(conversation),
                RedisKeys.Tail(conversation),
                RedisKeys.Revisions(conversation),
            ],
            [page.Before ?? RedisValue.EmptyString, page.After ?? RedisValue.EmptyString, page.Limit, near, limit]))!;
        var epoch = (string)reply[0]!;
        var head = (long)reply[1];
        // A deleted message is no longer an entry; what is left of it stands beside.
        var records = new Dictionary<long, byte[]>();
        var redacted = (RedisResult[])reply[4]!;
        for (var i = 0; i < redacted.Length; i += 2)
            records[(long)redacted[i]] = (byte[])redacted[i + 1]!;
        foreach (var entry in (RedisResult[])reply[3]!)
        {
            var parts = (RedisResult[])entry!;
            records[SeqOf((string)parts[0]!)] = (byte[])((RedisResult[])parts[1]!)[1]!;
        }
        // Where the chain breaks (an unreadable record, a gap), the tail is of no use any further down.
        var events = new List<ConversationEvent>(records.Count);
        while (records.TryGetValue(head - events.Count, out var record)
            && LogRecordCodec.Decode(record, head - events.Count, epoch) is ConversationEvent e)
            events.Add(e);
        return new ConversationTail(epoch, head, (long)reply[2], events);
    }

    /// <summary>Whatever readable events the tail has in a range, in no order; gaps are possible.</summary>
    /// <exception cref="RedisException">Redis cannot be asked.</exception>
    public static async Task<List<ConversationEvent>> ReadRangeAsync(
        IDatabase redis, ConversationKey conversation, long from, long to, string epoch)
    {
        var range = redis.StreamRangeAsync(RedisKeys.Tail(conversation), $"{from}-0", $"{to}-0");
        var revisions = await redis.HashGetAllAsync(RedisKeys.Revisions(conversation));
        var records = (await range).Select(entry => (Seq: SeqOf(entry.Id.ToString()), Record: (byte[])entry["e"]!))
            .Concat(revisions.Where(revision => revision.Name.TryParse(out long seq) && seq >= from && seq <= to)
                .Select(revision => (Seq: (long)revision.Name, Record: (byte[])revision.Value!)));
        return records.Select(record => LogRecordCodec.Decode(record.Record, record.Seq, epoch)).OfType<ConversationEvent>().ToList();
    }

    private static long SeqOf(string entryId) => long.Parse(entryId.AsSpan(0, entryId.IndexOf('-')), CultureInfo.InvariantCulture);
}
