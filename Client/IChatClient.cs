namespace AspireChat.Client;

/// <summary>
/// A chat session that outlives its connections: rooms stay joined, each conversation's events come in order and once, and a send is
/// repeated until it is acknowledged. Thread-safe. docs/client.md has the exact promises. <see cref="ChatClient"/> implements it; the
/// interface is for applications that replace it in their tests, and may get members with a new version.
/// </summary>
public interface IChatClient : IAsyncDisposable
{
    /// <summary>The state now; changes come as <see cref="ChatConnectionChanged"/>.</summary>
    ChatConnectionState State { get; }

    /// <summary>The user that the token names; null before the first connection.</summary>
    string? User { get; }

    /// <summary>Sends that wait for their acknowledgement.</summary>
    int Unacknowledged { get; }

    /// <summary>
    /// Connects and stays connected. Later calls wait for the same connection. Without this call the first join, send or read connects.
    /// After the session has ended for good it begins another one: without rooms, and with new readers and views. Cancelling ends the
    /// wait, not the client.
    /// </summary>
    /// <exception cref="ChatException">There will be no connection: <see cref="ChatErrorCodes.Token"/>, <see cref="ChatErrorCodes.Closed"/>
    /// or <see cref="ChatErrorCodes.Forbidden"/>.</exception>
    Task ConnectAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Everything that happens, in order. For each conversation it gives the events of its log, and <see cref="ConversationReset"/> or
    /// <see cref="HistoryGap"/> where events can't be had. It also gives presence, typing, receipts and the state of the connection. It
    /// ends with <see cref="ChatConnectionState.Closed"/>.
    /// <para>
    /// Each call gives a reader of its own, which gets everything and does not delay the others. The first one begins with the client, and
    /// where it stops the next call goes on. Another one, while that is read, begins with the call. So enumerate what a call returns,
    /// once.
    /// </para>
    /// </summary>
    /// <exception cref="InvalidOperationException">The result is enumerated twice at once.</exception>
    IAsyncEnumerable<ChatItem> Events(CancellationToken cancellationToken = default);

    /// <summary>
    /// Everything that happens in one conversation, from this call on. Readers do not delay each other. It ends when the session ends or
    /// the enumeration does. So enumerate what a call returns, once.
    /// </summary>
    /// <exception cref="InvalidOperationException">The result is enumerated twice at once.</exception>
    IAsyncEnumerable<ConversationItem> Events(Conversation conversation, CancellationToken cancellationToken = default);

    /// <summary>
    /// A view of a conversation: its messages with edits, deletions and reactions applied, read cursors, unread count, members and typing.
    /// It begins at the head; <see cref="IConversationView.OlderAsync"/> loads what was before. It does not join a room. Dispose it when
    /// it is no longer shown.
    /// </summary>
    IConversationView View(Conversation conversation);

    /// <summary>
    /// Joins a room now and on every later connection, until it is left. The first join of any user creates the room. While a leave is
    /// under way, it waits for its answer first. Cancelling ends the wait, but the client still joins the room.
    /// </summary>
    /// <param name="room">The room's id.</param>
    /// <param name="since">The place that the application reached in an earlier session. The events behind it follow. Without it, events
    /// begin after the head. It has no effect on a room that the client follows already.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The room is not an identifier.</exception>
    /// <exception cref="ChatException">The server refused, e.g. <see cref="ChatErrorCodes.Limit"/>; or the client has ended.</exception>
    Task<RoomJoined> JoinAsync(string room, ConversationCursor? since = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends the user's membership in a room, on all devices. Sends that wait there fail. Cancelling ends only the wait.
    /// </summary>
    /// <exception cref="ChatException">The server refused, e.g. <see cref="ChatErrorCodes.Forbidden"/> to the last owner, and the room
    /// stays joined; or the client has ended.</exception>
    Task LeaveAsync(string room, CancellationToken cancellationToken = default);

    /// <summary>
    /// Continues a direct conversation at the place that the application reached in an earlier session. The events behind it follow.
    /// Without this call a direct conversation begins with the session. It has no effect on a conversation that has begun. Rooms have
    /// <see cref="JoinAsync"/> for this.
    /// </summary>
    /// <param name="user">The other user.</param>
    /// <param name="since">The <see cref="ChatEvent.Cursor"/> of the last event that the application has handled.</param>
    void Follow(string user, ConversationCursor since);

    /// <summary>
    /// Sends a message and completes once it is in the log. Until then the client keeps it and repeats it with its nonce, over any number
    /// of connections, so that it arrives once. The sends of one conversation arrive in the order of the calls.
    /// </summary>
    /// <param name="conversation">Where to.</param>
    /// <param name="content">The text.</param>
    /// <param name="nonce">1–64 characters, unique in the conversation. A new one is made if none is given. An application that remembers
    /// the nonce can safely repeat the send after a restart, within 24 h.</param>
    /// <param name="cancellationToken">Takes the message back. If it was sent already it may still arrive.</param>
    /// <exception cref="ArgumentException">The content is empty, too long, or has a NUL or a lone surrogate; or a send with this nonce
    /// waits already.</exception>
    /// <exception cref="ChatException">The server refused it for good, or the client gave it up: <see cref="ChatErrorCodes.QueueFull"/>,
    /// <see cref="ChatErrorCodes.Expired"/>, or the client has ended.</exception>
    Task<SendReceipt> SendAsync(
        Conversation conversation, string content, string? nonce = null, CancellationToken cancellationToken = default);

    /// <summary>Sends a message that carries more than its text. Otherwise as the other overload.</summary>
    Task<SendReceipt> SendAsync(
        Conversation conversation, string content, ChatMessageOptions options, CancellationToken cancellationToken = default);

    /// <summary>Gives one of the user's messages a new text. Otherwise as a send.</summary>
    /// <param name="conversation">Where the message is.</param>
    /// <param name="target">The message's seq.</param>
    /// <param name="content">The new text.</param>
    /// <param name="nonce">As of a send.</param>
    /// <param name="cancellationToken">As of a send.</param>
    Task<SendReceipt> EditAsync(
        Conversation conversation, long target, string content, string? nonce = null, CancellationToken cancellationToken = default);

    /// <summary>The same, with new mentions or a new meta: those that the options do not name stay.</summary>
    Task<SendReceipt> EditAsync(
        Conversation conversation, long target, string content, ChatMessageOptions options, CancellationToken cancellationToken = default);

    /// <summary>Deletes one of the user's messages, or, as a moderator, anyone's. Otherwise as a send.</summary>
    Task<SendReceipt> DeleteAsync(
        Conversation conversation, long target, string? nonce = null, CancellationToken cancellationToken = default);

    /// <summary>Reacts to a message, or takes the reaction back. Otherwise as a send.</summary>
    Task<SendReceipt> ReactAsync(
        Conversation conversation, long target, string emoji, bool remove = false, string? nonce = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells the others that the user types or has stopped. Call it at every key stroke; it sends at most one frame in 2 s. It is lost
    /// without a connection.
    /// </summary>
    void Typing(Conversation conversation, bool active = true);

    /// <summary>
    /// Sends the others an event of the product's own, which is not stored. They get it as <see cref="SignalReceived"/>. It is lost without
    /// a connection. At most 10 in a second are passed on.
    /// </summary>
    /// <param name="conversation">Where to.</param>
    /// <param name="name">1–64 characters.</param>
    /// <param name="data">JSON, at most 4 KiB; null: none.</param>
    /// <returns>False without a connection, or when too much waits to be sent.</returns>
    /// <exception cref="System.Text.Json.JsonException"><paramref name="data"/> is no JSON.</exception>
    bool Signal(Conversation conversation, string name, string? data = null);

    /// <summary>
    /// Moves the user's read cursor forward: the user has read all up to here, on all devices, and the others get
    /// <see cref="ReadCursorMoved"/>. The cursor is kept until a connection carries it, and sent at most once a second. A lower one has no
    /// effect.
    /// </summary>
    /// <param name="conversation">A joined room, or a direct conversation.</param>
    /// <param name="seq">The seq of the last event that was read.</param>
    /// <exception cref="ChatException"><see cref="ChatErrorCodes.NotJoined"/>, or the client has ended.</exception>
    void MarkRead(Conversation conversation, long seq);

    /// <summary>
    /// Completes once the database has the event that was sent. The server reports it once, on the connection. If that connection is lost,
    /// the report comes with the conversation's next event, so pass a token that ends the wait.
    /// </summary>
    /// <exception cref="ChatException">The log was rebuilt (<see cref="ChatErrorCodes.EpochChanged"/>), the room was left, or the client
    /// has ended.</exception>
    Task WhenDurableAsync(SendReceipt receipt, CancellationToken cancellationToken = default);

    /// <summary>A page of history, newest first, or oldest first with <paramref name="after"/>. It needs no connection.</summary>
    /// <param name="conversation">Whose history.</param>
    /// <param name="before">A seq, or the <see cref="HistoryPage.Next"/> of a page that was asked for with <c>before</c>. Give this or
    /// <paramref name="after"/>, not both.</param>
    /// <param name="after">Likewise, for the events behind it.</param>
    /// <param name="limit">1–200.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatException">There is no page now: <see cref="ChatErrorCodes.History"/>, with the status.</exception>
    Task<HistoryPage> HistoryAsync(
        Conversation conversation, string? before = null, string? after = null, int limit = 50,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// The user's conversations, that with the last message first, with heads, read cursors and unread counts: at most 200.
    /// <see cref="ChatApi.AllConversationsAsync"/> has all. It needs no connection.
    /// </summary>
    /// <exception cref="ChatException">There is no answer now: <see cref="ChatErrorCodes.History"/>, with the status.</exception>
    Task<IReadOnlyList<ConversationOverview>> ConversationsAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// What the user can ask for and change over HTTP: rooms and their members, search, users, presence, conversations. It needs no
    /// connection, and has the client's token and HTTP calls.
    /// </summary>
    ChatApi Api { get; }

    /// <summary>
    /// How a user is shown, as far as the server has told it: with the rooms that were joined, presence, pages and
    /// <see cref="ProfileChanged"/>. Null: the user has no profile, or none is known yet.
    /// </summary>
    ChatProfile? ProfileOf(string user);
}
