using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Conversations;

/// <param name="Last">The newest event, or null in a room without any.</param>
internal sealed record ConversationState(ConversationKey Conversation, long Head, long Read, long Unread, HistoryItem? Last);

/// <summary>
/// The conversations of a user: memberships as committed, corrected by Redis, which has the present state of head, cursor and membership.
/// A direct conversation appears once its first event is committed, a room as soon as it is joined. Thread-safe.
/// </summary>
internal sealed class ConversationList(
    IConnectionMultiplexer redis, ConversationTable table, EventTable events, IOptions<HistoryOptions> options)
{
    /// <summary>Most recently active first. Null when Redis or PostgreSQL cannot be asked, or a partition is being opened.</summary>
    public async Task<List<ConversationState>?> ReadAsync(string user, CancellationToken cancellationToken)
    {
        try
        {
            var memberships = await ReadMembershipsAsync(user, cancellationToken);
            var places = await Task.WhenAll(memberships.Select(membership => ReadPlaceAsync(user, membership)));
            if (places.Any(place => place.Tail.Epoch.Length == 0))
            {
                return null;
            }

            var current = places.Where(place => place.IsMember).ToList();
            var unread = await CountUnreadAsync(user, current, cancellationToken);
            var states = new List<ConversationState>();
            foreach (var (place, count) in current.Zip(unread))
            {
                states.Add(new(place.Conversation, place.Tail.Head, place.Read, count, await LastAsync(place, cancellationToken)));
            }

            states.Sort((a, b) => (b.Last?.Event.Timestamp ?? 0).CompareTo(a.Last?.Event.Timestamp ?? 0));
            return states;
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
        {
            return null;
        }
    }

    private async Task<List<Membership>> ReadMembershipsAsync(string user, CancellationToken cancellationToken)
    {
        // The index first: a room that is joined and committed between the two reads is then in the second.
        var rooms = await redis.GetDatabase().SetMembersAsync(RedisKeys.UserRooms(user));
        var memberships = await table.ReadConversationsAsync(user, cancellationToken);
        var known = memberships.Select(membership => membership.Conversation).ToHashSet();
        var joinedNow = rooms.Select(room => ConversationKey.Room(room.ToString())).Where(known.Add);
        memberships.AddRange(joinedNow.Select(room => new Membership(room, 0, 0)));
        return memberships;
    }

    private async Task<Place> ReadPlaceAsync(string user, Membership membership)
    {
        var database = redis.GetDatabase();
        var conversation = membership.Conversation;
        var cursor = database.HashGetAsync(RedisKeys.Members(conversation), user);
        // Above the cursor nothing may be missing from the count, so this reads all that is uncommitted; usually that is nothing.
        var tail = await TailReader.ReadNewestAsync(
            database, conversation, before: null, after: null, count: 1, near: 1, options.Value.TailLimit);
        var read = await cursor;
        return new Place(conversation, tail, read.HasValue ? (long)read : membership.Read, read.HasValue || !conversation.IsRoom);
    }

    private async Task<long[]> CountUnreadAsync(string user, List<Place> places, CancellationToken cancellationToken)
    {
        var unread = new long[places.Count];
        var ranges = new List<(string, long, long)>();
        var indexes = new List<int>();
        for (var i = 0; i < places.Count; i++)
        {
            var place = places[i];
            unread[i] = place.Tail.Events.Count(e =>
                e.Seq > Math.Max(place.Read, place.Tail.Durable) && e.Kind is EventKind.Room or EventKind.Dm && e.From != user);
            if (place.Tail.Durable > place.Read)
            {
                ranges.Add((place.Conversation.Value, place.Read, place.Tail.Durable));
                indexes.Add(i);
            }
        }
        var committed = await table.CountUnreadAsync(user, ranges, cancellationToken);
        for (var i = 0; i < committed.Length; i++)
        {
            unread[indexes[i]] += committed[i];
        }

        return unread;
    }

    private async Task<HistoryItem?> LastAsync(Place place, CancellationToken cancellationToken)
    {
        if (place.Tail.Events.Count > 0)
        {
            return new HistoryItem(place.Tail.Events[0]);
        }

        if (place.Tail.Head == 0)
        {
            return null;
        }

        var page = await events.ReadPageAsync(place.Conversation, place.Tail.Head + 1, forward: false, 1, cancellationToken);
        return page.Count > 0 ? page[0] : null;
    }

    private sealed record Place(ConversationKey Conversation, ConversationTail Tail, long Read, bool IsMember);
}
