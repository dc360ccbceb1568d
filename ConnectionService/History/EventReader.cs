using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.History;

/// <summary>
/// Reads a conversation from any seq on, wherever its events are: the tail in Redis, and behind it what PostgreSQL keeps. Thread-safe.
/// </summary>
internal sealed partial class EventReader(
    IConversationLog log, IEventHistory history, TimeProvider time, ILogger<EventReader> logger)
{
    private readonly RecurringFault _outage = new(time);

    /// <summary>At most <paramref name="limit"/> events above <paramref name="afterSeq"/>, oldest first.</summary>
    /// <returns><see cref="TailSlice.Complete"/> is false when the oldest of them can't be had from anywhere at the moment.</returns>
    /// <exception cref="LogUnavailableException">Redis can't be reached: nothing can be said of the conversation.</exception>
    public async Task<TailSlice> ReadAsync(ConversationKey conversation, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        var tail = await log.ReadTailAsync(conversation, afterSeq, limit, cancellationToken);
        // Below its floor a room that was deleted has nothing, whatever PostgreSQL may still have.
        if (tail.Complete || afterSeq < tail.Floor)
        {
            return tail;
        }

        IReadOnlyList<ConversationEvent> older;
        try
        {
            older = await history.ReadAsync(conversation, afterSeq, limit, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            if (_outage.IsDue(out var count))
            {
                Unreachable(logger, conversation.Value, afterSeq, e.Message, count);
            }

            return tail;
        }
        if (older.Count == 0)
        {
            return tail;
        }

        if (older.Count >= limit)
        {
            return tail with { Events = older, Complete = true };
        }
        // What is not committed yet is in the tail, which is never trimmed past what is.
        var rest = await log.ReadTailAsync(conversation, older[^1].Seq, limit - older.Count, cancellationToken);
        return rest with { Events = [.. older, .. rest.Events], Complete = true };
    }

    [LoggerMessage(LogEvents.Connection + 450, LogLevel.Warning,
        "History can't be asked for events that are not in the tail, last of {Conversation} above {AfterSeq}: {Reason} " +
        "({Count} times since the last such line)")]
    private static partial void Unreachable(ILogger logger, string conversation, long afterSeq, string reason, long count);
}

/// <summary>Registers <see cref="EventReader"/>: needs the conversation log and <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/>.</summary>
internal static class HistoryRegistration
{
    public static void AddEventReading(this IHostApplicationBuilder builder)
    {
        builder.AddInternalHttpClient<IEventHistory, PersistedHistory>("persistence");
        builder.Services.AddSingleton<EventReader>();
        builder.Services.AddSingleton<Revisions>();
    }
}
