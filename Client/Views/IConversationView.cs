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

    /// <summary>Sends a message that failed again, as a new one with a nonce of its own, which takes its place.</summary>
    /// <param name="nonce">The <see cref="PendingMessage.Nonce"/>.</param>
    /// <param name="cancellationToken">As of <see cref="IChatClient.SendAsync(Conversation, string, string?, CancellationToken)"/>.</param>
    /// <returns>Null: no message with this nonce has failed.</returns>
    /// <exception cref="ChatException">As of a send. Where the room is not joined the failed message stays.</exception>
    Task<SendReceipt?> RetryAsync(string nonce, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes a message that failed, here and in the conversation's other views. With the last view it goes too. A message that is still
    /// being sent is taken back by the token of its send.
    /// </summary>
    /// <param name="nonce">The <see cref="PendingMessage.Nonce"/>.</param>
    /// <returns>What was removed. Null: no message with this nonce has failed.</returns>
    PendingMessage? Discard(string nonce);

    /// <summary>Drops the oldest messages. <see cref="OlderAsync"/> brings them back.</summary>
    /// <param name="keep">How many stay.</param>
    void Trim(int keep);
}
