using System.Globalization;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.History;

/// <summary>Committed events, older than the tail: PersistenceService's part of the log. Thread-safe.</summary>
internal interface IEventHistory
{
    /// <summary>Events above <paramref name="afterSeq"/>, oldest first, without a hole, at most <paramref name="limit"/>.</summary>
    /// <exception cref="HttpRequestException">PersistenceService, or PostgreSQL, is away.</exception>
    Task<IReadOnlyList<ConversationEvent>> ReadAsync(
        ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken);

    /// <summary>What an event that is not in the tail is, for an edit, delete or reaction of it; null: there is none.</summary>
    /// <param name="emoji">Of a reaction: whether the message has it; otherwise empty.</param>
    /// <exception cref="HttpRequestException">PersistenceService, or PostgreSQL, is away.</exception>
    Task<RevisionTarget?> FindTargetAsync(ConversationKey conversation, long seq, string emoji, CancellationToken cancellationToken);
}

/// <summary>Asks PersistenceService: <c>GET /internal/events</c>, answered as an <see cref="EventReplay"/>.</summary>
internal sealed class PersistedHistory(HttpClient http) : IEventHistory
{
    public async Task<IReadOnlyList<ConversationEvent>> ReadAsync(
        ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        var path = string.Create(
            CultureInfo.InvariantCulture, $"/internal/events?conversation={Uri.EscapeDataString(conversation.Value)}&after={afterSeq}&limit={limit}");
        return EventReplay.Read(await http.GetByteArrayAsync(path, cancellationToken))
            ?? throw new HttpRequestException("PersistenceService answered events in a form that is not known here.");
    }

    public async Task<RevisionTarget?> FindTargetAsync(
        ConversationKey conversation, long seq, string emoji, CancellationToken cancellationToken)
    {
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/internal/targets?conversation={Uri.EscapeDataString(conversation.Value)}&seq={seq}&emoji={Uri.EscapeDataString(emoji)}");
        var line = await http.GetStringAsync(path, cancellationToken);
        return line.Length == 0
            ? null
            : RevisionTarget.Read(line)
                ?? throw new HttpRequestException("PersistenceService answered a target in a form that is not known here.");
    }
}
