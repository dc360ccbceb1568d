namespace AspireChat.Client;

/// <summary>What <see cref="ChatClient.Events"/> gives. Immutable.</summary>
public abstract record ChatItem;

/// <summary>An item that belongs to a conversation.</summary>
public abstract record ConversationItem(Conversation Conversation) : ChatItem;

/// <summary>
/// The conversation's log is another one than before, or does not reach as far as the application knew: forget what was shown of it and
/// read history anew (<see cref="ChatClient.HistoryAsync"/>). Events go on after <see cref="Head"/>.
/// </summary>
/// <param name="Head">History is to be read up to this seq.</param>
public sealed record Reloaded(Conversation Conversation, string Epoch, long Head) : ConversationItem(Conversation);

/// <summary>
/// The events <see cref="From"/> to <see cref="To"/> (inclusive) exist no longer, or history refuses them to this user. Events go on after
/// <see cref="To"/>. Never happens with a healthy server; it is said so that nothing is missing silently.
/// </summary>
public sealed record Gap(Conversation Conversation, long From, long To) : ConversationItem(Conversation);

/// <summary>
/// A room was joined: by request, or again on a new connection. One moment of it: events go on after <see cref="Head"/>, missed ones come
/// first.
/// </summary>
/// <param name="Members">Users online, at most 100, the own one among them.</param>
/// <param name="Online">How many are online.</param>
/// <param name="Typing">Users typing now.</param>
/// <param name="Read">The own read cursor.</param>
public sealed record RoomJoined(
    Conversation Conversation, string Epoch, long Head, IReadOnlyList<string> Members, long Online, IReadOnlyList<string> Typing, long Read)
    : ConversationItem(Conversation);

/// <summary>
/// The user is no member of the room any more: it was left here or on another device, or can't be joined again (<see cref="Reason"/>).
/// </summary>
public sealed record RoomLeft(Conversation Conversation, string? Reason = null) : ConversationItem(Conversation);

/// <summary>
/// Members came online or went offline; both lists are empty in rooms with many online, where only the count is told. May be dropped for
/// a slow reader.
/// </summary>
/// <param name="Count">How many are online now.</param>
public sealed record PresenceChanged(
    Conversation Conversation, IReadOnlyList<string> Online, IReadOnlyList<string> Offline, long Count) : ConversationItem(Conversation);

/// <summary>
/// Another user types, or stopped. May be dropped for a slow reader; the server ends each typing 3 s after its last sign.
/// </summary>
public sealed record TypingChanged(Conversation Conversation, string User, bool Active) : ConversationItem(Conversation);

/// <summary>A read cursor moved; the own one too, from another device. May be dropped for a slow reader; a later one includes it.</summary>
public sealed record ReadMoved(Conversation Conversation, string User, long Seq) : ConversationItem(Conversation);

/// <summary>
/// All events up to <see cref="Seq"/> are committed in the database. May be dropped for a slow reader; a later one includes it.
/// </summary>
public sealed record DurableMoved(Conversation Conversation, long Seq) : ConversationItem(Conversation);

/// <summary>The connection's state changed. For a slow reader only the latest is kept.</summary>
/// <param name="Node">The server's node, while connected.</param>
/// <param name="CloseCode">Why the last connection ended: a WebSocket close code, or null for a loss without one.</param>
/// <param name="RetryIn">While reconnecting: how long until the next attempt.</param>
public sealed record ConnectionChanged(ConnectionState State, string? Node, int? CloseCode, string? Reason, TimeSpan? RetryIn) : ChatItem;

public enum ConnectionState
{
    /// <summary>Not started yet.</summary>
    Idle,

    Connecting,

    Connected,

    /// <summary>Lost; a new connection is made by itself.</summary>
    Reconnecting,

    /// <summary>Ended for good: disposed, or the server said not to come back.</summary>
    Closed,
}

/// <summary>Something went wrong that the client works around by itself; for logs. May be dropped for a slow reader.</summary>
/// <param name="Code">One of the server's error codes, or of <see cref="ChatFaults"/>.</param>
public sealed record Fault(string Code, string Message, Conversation? Conversation = null) : ChatItem;
