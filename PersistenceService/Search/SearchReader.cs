using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.History;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Search;

/// <param name="Items">Newest first.</param>
internal sealed record SearchPage(IReadOnlyList<HistoryItem> Items, SearchCursor? Next);

/// <summary>
/// Searches, and shows what was found as it reads now: what is acknowledged and not committed yet takes effect on it, so that nothing deleted
/// is shown. Thread-safe; throws what PostgreSQL and Redis throw.
/// </summary>
internal sealed class SearchReader(
    IConnectionMultiplexer redis, SearchTable table, EventTable events, IOptions<HistoryOptions> options)
{
    /// <summary>Null while a partition is being opened, so that it cannot be said what was deleted there.</summary>
    public async Task<SearchPage?> ReadAsync(SearchQuery query, CancellationToken cancellationToken)
    {
        var matches = await table.FindAsync(query, cancellationToken);
        var conversations = matches.Found.Select(found => found.Conversation).Distinct().ToList();
        var tails = (await Task.WhenAll(conversations.Select(ReadTailAsync)))
            .Zip(conversations).ToDictionary(pair => pair.Second, pair => pair.First);
        if (tails.Values.Any(tail => tail.Epoch.Length == 0))
        {
            return null;
        }

        var items = await events.ReadMessagesAsync(
            [.. matches.Found.Select(found => (found.Conversation, found.Seq, tails[found.Conversation].Durable))], cancellationToken);
        foreach (var item in items)
        {
            foreach (var later in tails[item.Event.Conversation].Events)
            {
                item.Apply(later);
            }
        }
        return new SearchPage([.. items.Where(item => !item.IsDeleted)], matches.Next);
    }

    /// <summary>All that is not committed; usually that is nothing.</summary>
    private Task<ConversationTail> ReadTailAsync(ConversationKey conversation) => TailReader.ReadNewestAsync(
        redis.GetDatabase(), conversation, before: null, after: null, count: 1, near: 1, options.Value.TailLimit, options.Value.TailBytes);
}
