namespace AspireChat.Client;

/// <summary>
/// A conversation to be shown: its messages with edits, deletions and reactions applied, unread count, read cursors, members and typing,
/// kept current. It keeps at most 10,000 messages, and the oldest go first. Thread-safe. Dispose it when it is no longer shown. It ends
/// with the session of its client.
/// </summary>
public interface IConversationView : IDisposable
{
    /// <summary>Which conversation it is.</summary>
    Conversation Conversation { get; }

    /// <summary>The conversation now.</summary>
    ConversationSnapshot Current { get; }

    /// <summary>
    /// <see cref="Current"/> has changed. It is raised on a thread of the pool, one call at a time, and once for changes that come
    /// together.
    /// </summary>
    event EventHandler? Changed;

    /// <summary>
    /// The conversation now, and again whenever it has changed. A slow reader gets the latest and misses what was between. It ends with
    /// the view.
    /// </summary>
    IAsyncEnumerable<ConversationSnapshot> Snapshots(CancellationToken cancellationToken = default);

    /// <summary>
    /// Loads older messages in front. What happens meanwhile is applied to them, so that no old content comes back. Calls at the same time
    /// share one load.
    /// </summary>
    /// <param name="limit">How many events to ask for, 1–200. Edits and reactions are among them, so fewer messages may come.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How many messages were loaded; 0: the oldest one was loaded already.</returns>
    /// <exception cref="ChatException">History does not answer now (<see cref="ChatErrorCodes.History"/>, with the status), or the view has
    /// ended (<see cref="ChatErrorCodes.Closed"/>).</exception>
    Task<int> OlderAsync(int limit = 50, CancellationToken cancellationToken = default);

    /// <summary>Drops the oldest messages. <see cref="OlderAsync"/> brings them back.</summary>
    /// <param name="keep">How many stay.</param>
    void Trim(int keep);
}
