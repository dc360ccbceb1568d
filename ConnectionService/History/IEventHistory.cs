using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.ConnectionService.History;

/// <summary>Committed events, older than the tail: PersistenceService's part of the log. Thread-safe.</summary>
internal interface IEventHistory
{
    /// <summary>Events above <paramref name="afterSeq"/>, oldest first, without a hole, at most <paramref name="limit"/>.</summary>
    /// <exception cref="HttpRequestException">PersistenceService, or PostgreSQL, is away.</exception>
    Task<IReadOnlyList<ConversationEvent>> ReadAsync(
        ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken);
}
