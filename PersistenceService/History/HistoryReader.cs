using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.History;

/// <param name="Next">Where the next page begins (a seq), or null at the end.</param>
internal sealed record HistoryPage(IReadOnlyList<HistoryItem> Items, string Epoch, long Head, long? Next);

/// <summary>
/// Pages through a conversation: what PostgreSQL has, and what only the tail in Redis has yet, as one gapless list at one moment. Near the
/// head the tail alone answers. Thread-safe.
/// </summary>
/// <remarks>
/// Redis is read first: whatever is committed in between is then found in PostgreSQL as well, never in neither. Events above the head
/// that Redis gave are left out, so that the page is a snapshot.
/// </remarks>
internal sealed class HistoryReader(IConnectionMultiplexer redis, EventTable events, IOptions<HistoryOptions> options, TimeProvider time)
{
    /// <summary>
    /// Returns the page, or null when Redis cannot say what is acknowledged, or PostgreSQL is needed and cannot be reached.
    /// </summary>
    public async Task<HistoryPage?> ReadAsync(ConversationKey conversation, PageRequest request, CancellationToken cancellationToken)
    {
        ConversationTail tail;
        try
        {
            tail = await ReadTailAsync(conversation, request, options.Value.NearHead);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            return null;
        }
        if (tail.Epoch.Length == 0)
        {
            return null;
        }

        if (FromTail(tail, request) is { } page)
        {
            return page;
        }

        using var patience = new CancellationTokenSource(options.Value.DatabaseTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await FromBothAsync(conversation, tail, request, either.Token);
        }
        catch (Exception e) when (DatabaseFaults.Is(e)
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // PostgreSQL is away. The tail keeps more than what is uncommitted: read it as far down as the page needs.
            return await FromWholeTailAsync(conversation, request);
        }
    }

    private async Task<HistoryPage?> FromWholeTailAsync(ConversationKey conversation, PageRequest request)
    {
        try
        {
            var tail = await ReadTailAsync(conversation, request, options.Value.TailLimit);
            return tail.Epoch.Length == 0 ? null : FromTail(tail, request);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            return null;
        }
    }

    private Task<ConversationTail> ReadTailAsync(ConversationKey conversation, PageRequest request, int near) => TailReader.ReadNewestAsync(
        redis.GetDatabase(), conversation, request.Before, request.After, request.Limit, near, options.Value.TailLimit, options.Value.TailBytes);

    /// <summary>The lowest seq that the page may contain.</summary>
    private static long LowestOf(PageRequest request, ConversationTail tail) => Math.Max(tail.Floor + 1, request.After is { } after
        ? after + 1
        : Math.Min(request.Before ?? long.MaxValue, tail.Head + 1) - request.Limit);

    /// <summary>The page, if the tail holds it and everything above it (which may have changed its messages); else null.</summary>
    private HistoryPage? FromTail(ConversationTail tail, PageRequest request)
    {
        if (LowestOf(request, tail) is var lowest && lowest < tail.Lowest && lowest <= tail.Head)
        {
            return null;
        }

        var inRange = request.After is { } after
            ? tail.Events.Reverse().Where(e => e.Seq > after)
            : tail.Events.Where(e => e.Seq < (request.Before ?? long.MaxValue));
        return ToPage(inRange.Select(e => ItemOf(e, reactionsUpTo: 0)), tail, request, more: false);
    }

    private async Task<HistoryPage> FromBothAsync(
        ConversationKey conversation, ConversationTail tail, PageRequest request, CancellationToken cancellationToken)
    {
        var bound = request.After ?? Math.Min(request.Before ?? long.MaxValue, tail.Head + 1);
        var (committed, more) = await events.ReadPageAsync(
            conversation, bound, request.IsForward, request.Limit, tail.Durable, tail.Floor, cancellationToken);
        var merged = new SortedDictionary<long, HistoryItem>();
        foreach (var item in committed.Where(item => item.Seq <= tail.Head))
        {
            merged[item.Seq] = item;
        }

        // A page that PostgreSQL ended early ends there: what lies behind it in the tail is not next to it.
        var last = more && committed.Count > 0 ? committed[^1].Seq : (long?)null;
        var uncommitted = tail.CoversUncommitted ? tail.Events : await ReadRangeAsync(conversation, tail, request, bound);
        foreach (var e in uncommitted)
        {
            if (request.IsForward ? e.Seq > bound && e.Seq <= (last ?? e.Seq) : e.Seq < bound && e.Seq >= (last ?? e.Seq))
            {
                merged.TryAdd(e.Seq, ItemOf(e, tail.Durable));
            }
        }
        return ToPage(request.IsForward ? merged.Values : merged.Values.Reverse(), tail, request, more);
    }

    private HistoryItem ItemOf(ConversationEvent e, long reactionsUpTo) =>
        new(e, reactionsUpTo: reactionsUpTo, reactionUsers: options.Value.ReactionUsers);

    /// <summary>
    /// PostgreSQL is so far behind that the page may lie between it and the part of the tail that was read: read just there.
    /// </summary>
    private async Task<IReadOnlyList<ConversationEvent>> ReadRangeAsync(
        ConversationKey conversation, ConversationTail tail, PageRequest request, long bound)
    {
        var from = request.IsForward ? Math.Max(bound, tail.Durable) + 1 : Math.Max(tail.Durable + 1, bound - request.Limit - 1);
        var range = await TailReader.ReadRangeAsync(redis.GetDatabase(), conversation, from, from + request.Limit, tail.Epoch);
        return [.. tail.Events.UnionBy(range, e => e.Seq)];
    }

    /// <summary>Cuts the page off, in items and in characters, and lets the events of the tail take effect on it.</summary>
    /// <param name="more">There are more events behind the candidates.</param>
    private HistoryPage ToPage(IEnumerable<HistoryItem> candidates, ConversationTail tail, PageRequest request, bool more)
    {
        var items = new List<HistoryItem>();
        var characters = 0;
        foreach (var item in candidates)
        {
            if (items.Count == request.Limit || characters >= options.Value.PageCharacters)
            {
                more = true;
                break;
            }
            items.Add(item);
            characters += (item.Event.Content?.Length ?? 0) + (item.Event.Details?.Bytes ?? 0);
        }
        // A page read off the tail ends where the tail ends; what is below is in PostgreSQL.
        if (!request.IsForward && items.Count > 0 && items[^1].Seq > tail.Floor + 1)
        {
            more |= items.Count == request.Limit;
        }

        ApplyAll(tail.Events, items);
        return new HistoryPage(items, tail.Epoch, tail.Head, more && items.Count > 0 ? items[^1].Seq : null);
    }

    private static void ApplyAll(IEnumerable<ConversationEvent> later, List<HistoryItem> items)
    {
        // A message and the edits of it, which lose their text with it, by the message's seq.
        var concerned = items.ToLookup(item => item.Event.Kind == EventKind.Edit ? item.Event.Target : item.Seq);
        foreach (var e in later)
        {
            if (e.Target == 0)
            {
                continue;
            }

            foreach (var item in concerned[e.Target])
            {
                item.Apply(e);
            }
        }
    }
}
