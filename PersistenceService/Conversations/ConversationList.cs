using System.Runtime.CompilerServices;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Conversations;

/// <param name="Mentions">Unread messages that mention the user.</param>
/// <param name="Last">The newest message that is not deleted, or null where there is none.</param>
internal sealed record ConversationState(
    ConversationKey Conversation, long Head, long Read, long Unread, long Mentions, HistoryItem? Last);

/// <param name="Places">In the order of the list.</param>
/// <param name="Next">Where the next page begins; null at the end.</param>
internal sealed record ConversationPage(IReadOnlyList<ConversationPlace> Places, ConversationCursor? Next);

/// <summary>A conversation before its last message is read.</summary>
/// <param name="InTail">The last message, if the part of the tail that was read has it.</param>
/// <param name="Later">What is not committed yet and may concern a message that is.</param>
internal sealed record ConversationPlace(
    ConversationKey Conversation, long Head, long Durable, long Read, long Unread, long Mentions, HistoryItem? InTail,
    IReadOnlyList<ConversationEvent> Later, long Floor = 0);

/// <summary>
/// The conversations of a user, a page at a time: memberships as committed, corrected by Redis, which has the present state of head, cursor
/// and membership. A direct conversation appears once its first event is committed, a room as soon as it is joined. Thread-safe.
/// </summary>
internal sealed class ConversationList(
    IConnectionMultiplexer redis, ConversationTable table, EventTable events, IOptions<HistoryOptions> options)
{
    /// <summary>Conversations whose last events are read together, and stand in memory together.</summary>
    private const int Part = 25;

    /// <summary>
    /// That with the last message first, as committed. Null when Redis or PostgreSQL cannot be asked, or a partition is being opened.
    /// </summary>
    public async Task<ConversationPage?> ReadAsync(string user, ConversationCursor after, int limit, CancellationToken cancellationToken)
    {
        try
        {
            var memberships = new List<Membership>();
            if (after == ConversationCursor.Start)
            {
                memberships.AddRange(await ReadJoinedNowAsync(user, limit, cancellationToken));
            }

            var committed = await table.ReadConversationsAsync(user, after, limit + 1, cancellationToken);
            ConversationCursor? next = null;
            if (committed.Count > limit)
            {
                committed.RemoveAt(limit);
                next = new ConversationCursor(committed[^1].Messaged, committed[^1].Conversation.Value);
            }

            memberships.AddRange(committed);
            var places = await Task.WhenAll(memberships.DistinctBy(each => each.Conversation).Select(each => ReadPlaceAsync(user, each)));
            if (places.Any(place => place.Tail.Epoch.Length == 0))
            {
                return null;
            }

            // What is not committed yet moves a conversation up within its page.
            var current = places.Where(place => place.IsMember).OrderByDescending(place => place.Active).ToList();
            var unread = await CountUnreadAsync(user, current, cancellationToken);
            return new ConversationPage(
                [.. current.Select((place, i) => new ConversationPlace(
                    place.Conversation, place.Tail.Head, place.Tail.Durable, place.Read, unread[i].Unread, unread[i].Mentions, place.Last,
                    [.. place.Tail.Events.Where(e => e.Target > 0)], place.Tail.Floor))],
                next);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
        {
            return null;
        }
    }

    /// <summary>The conversations with their last messages, read a few at a time while they are written.</summary>
    public async IAsyncEnumerable<ConversationState> ReadLastAsync(
        ConversationPage page, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var part in page.Places.Chunk(Part))
        {
            var asked = part.Where(place => place.InTail is null && place.Head > place.Floor).ToList();
            var found = asked.Count == 0
                ? []
                : await events.ReadLastAsync(
                    [.. asked.Select(place => (place.Conversation, place.Head, place.Durable))],
                    [.. asked.SelectMany(place => place.Later.Where(e => e.Kind == EventKind.Delete).Select(e => (place.Conversation, e.Target)))],
                    cancellationToken);
            foreach (var place in part)
            {
                var last = place.InTail ?? (asked.IndexOf(place) is var i and >= 0 ? found[i] : null);
                if (last is not null && place.InTail is null)
                {
                    ApplyAll(place.Later, last);
                }

                yield return new ConversationState(place.Conversation, place.Head, place.Read, place.Unread, place.Mentions, last);
            }
        }
    }

    /// <summary>Rooms whose join is not committed yet. There are few: a commit follows within milliseconds.</summary>
    private async Task<IEnumerable<Membership>> ReadJoinedNowAsync(string user, int most, CancellationToken cancellationToken)
    {
        var rooms = new List<ConversationKey>();
        await foreach (var room in RedisScan.MembersAsync(redis.GetDatabase(), RedisKeys.UserRooms(user), cancellationToken))
        {
            rooms.Add(ConversationKey.Room(room.ToString()));
        }
        var unknown = await table.ReadUnknownAsync(user, rooms, cancellationToken);
        return unknown.Take(most).Select(room => new Membership(room, 0, 0));
    }

    private async Task<Place> ReadPlaceAsync(string user, Membership membership)
    {
        var database = redis.GetDatabase();
        var conversation = membership.Conversation;
        var cursor = database.HashGetAsync(RedisKeys.Members(conversation), user);
        // Above the cursor nothing may be missing from the count, so this reads all that is uncommitted; usually that is nothing.
        var tail = await TailReader.ReadNewestAsync(
            database, conversation, before: null, after: null, count: 1, near: 1, options.Value.TailLimit, options.Value.TailBytes);
        var read = await cursor;
        var messages = MessagesOf(tail);
        return new Place(conversation, tail, messages, read.HasValue ? (long)read : membership.Read, read.HasValue || !conversation.IsRoom,
            messages is [var last, ..] ? last.Event.Timestamp : membership.Messaged / 1_000);
    }

    /// <summary>The messages of the tail that are not deleted as they read now, newest first.</summary>
    private List<HistoryItem> MessagesOf(ConversationTail tail)
    {
        var messages = tail.Events.Select(e => new HistoryItem(e, reactionUsers: options.Value.ReactionUsers)).Where(item => item.IsMessage)
            .ToDictionary(item => item.Seq);
        foreach (var later in tail.Events.Where(e => e.Target > 0))
        {
            messages.GetValueOrDefault(later.Target)?.Apply(later);
        }

        return [.. messages.Values.Where(item => !item.IsDeleted).OrderByDescending(item => item.Seq)];
    }

    private static void ApplyAll(IEnumerable<ConversationEvent> later, HistoryItem item)
    {
        foreach (var e in later)
        {
            item.Apply(e);
        }
    }

    private async Task<(long Unread, long Mentions)[]> CountUnreadAsync(string user, List<Place> places, CancellationToken cancellationToken)
    {
        var unread = new (long Unread, long Mentions)[places.Count];
        var ranges = new List<(string, long, long)>();
        var indexes = new List<int>();
        for (var i = 0; i < places.Count; i++)
        {
            var place = places[i];
            var above = Math.Max(place.Read, place.Tail.Durable);
            unread[i] = (
                place.Tail.Events.Count(e => e.Seq > above && e.Kind is EventKind.Room or EventKind.Dm && e.From != user),
                place.Messages.Count(item =>
                    item.Seq > above && item.Event.From != user && item.Event.Details?.Mentions?.Contains(user) == true));
            if (place.Tail.Durable > Math.Max(place.Read, place.Tail.Floor))
            {
                ranges.Add((place.Conversation.Value, Math.Max(place.Read, place.Tail.Floor), place.Tail.Durable));
                indexes.Add(i);
            }
        }
        var committed = await table.CountUnreadAsync(user, ranges, cancellationToken);
        for (var i = 0; i < committed.Length; i++)
        {
            unread[indexes[i]].Unread += committed[i].Unread;
            unread[indexes[i]].Mentions += committed[i].Mentions;
        }

        return unread;
    }

    /// <param name="Messages">Of the part of the tail that was read, newest first.</param>
    /// <param name="Active">The time of the last message, Unix milliseconds.</param>
    private sealed record Place(
        ConversationKey Conversation, ConversationTail Tail, IReadOnlyList<HistoryItem> Messages, long Read, bool IsMember, long Active)
    {
        public HistoryItem? Last => Messages.Count > 0 ? Messages[0] : null;
    }
}
