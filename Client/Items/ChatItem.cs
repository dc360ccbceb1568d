namespace AspireChat.Client;

/// <summary>
/// An item of <see cref="IChatClient.Events(CancellationToken)"/>. Immutable. What is said is a <see cref="MessageSent"/> or another
/// <see cref="ChatEvent"/>. The rest tells about rooms (<see cref="RoomJoined"/>), people (<see cref="PresenceChanged"/>,
/// <see cref="TypingChanged"/>), the connection (<see cref="ChatConnectionChanged"/>) and what could not be had
/// (<see cref="HistoryGap"/>). Later versions may have more kinds, so ignore those that you do not know.
/// </summary>
public abstract record ChatItem;

/// <summary>An item that belongs to a conversation.</summary>
/// <param name="Conversation">Which one.</param>
public abstract record ConversationItem(Conversation Conversation) : ChatItem;

/// <summary>
/// The conversation's log was replaced, or no longer reaches as far as the application knew. The application should drop what it showed and
/// read history again (<see cref="ChatClient.HistoryAsync"/>). Events continue after <see cref="Head"/>.
/// </summary>
/// <param name="Conversation">Which one.</param>
/// <param name="Epoch">The name of the log that holds from now on.</param>
/// <param name="Head">The seq of its last event: history is to be read up to here.</param>
public sealed record ConversationReset(Conversation Conversation, string Epoch, long Head) : ConversationItem(Conversation);

/// <summary>
/// The events <see cref="From"/> to <see cref="To"/> (inclusive) no longer exist, or history refuses them to this user. Events continue
/// after <see cref="To"/>. With a healthy server this never happens; it is reported so that no event is missing silently.
/// </summary>
public sealed record HistoryGap(Conversation Conversation, long From, long To) : ConversationItem(Conversation);

/// <summary>
/// A room was joined, on request or again on a new connection. This is the room at one moment. Missed events follow, then the events after
/// <see cref="Head"/>.
/// </summary>
/// <param name="Conversation">The room.</param>
/// <param name="Epoch">The epoch of its log.</param>
/// <param name="Head">The seq of its last event.</param>
/// <param name="Members">At most 100 of the members that are online, with the client's own user among them.</param>
/// <param name="Online">How many are online.</param>
/// <param name="Typing">Users typing now.</param>
/// <param name="Read">The user's own read cursor.</param>
public sealed record RoomJoined(
    Conversation Conversation, string Epoch, long Head, IReadOnlyList<string> Members, long Online, IReadOnlyList<string> Typing, long Read)
    : ConversationItem(Conversation)
{
    /// <summary>The user's role: <c>owner</c>, <c>moderator</c> or <c>member</c>. Null: the server did not tell it.</summary>
    public string? Role { get; init; }

    /// <summary><c>public</c> or <c>private</c>. Null: the server did not tell it.</summary>
    public string? Visibility { get; init; }

    /// <summary>Who may send: <c>members</c> or <c>moderators</c>. Null: the server did not tell it.</summary>
    public string? Sending { get; init; }

    /// <summary>The room's name; null: none.</summary>
    public string? Name { get; init; }

    /// <summary>The room's topic; null: none.</summary>
    public string? Topic { get; init; }
}

/// <summary>
/// Somebody else changed what a member of the room is or may do. The user whom it is about gets it too. Where the user is removed or
/// banned, <see cref="RoomLeft"/> follows. May be dropped for a slow reader.
/// </summary>
/// <param name="Conversation">The room.</param>
/// <param name="User">The member.</param>
/// <param name="Change"><c>added</c>, <c>removed</c>, <c>role</c>, <c>banned</c>, <c>unbanned</c>, <c>muted</c> or <c>unmuted</c>.</param>
/// <param name="By">Who changed it; <c>system</c>: the product's server.</param>
/// <param name="Role">The new role; null where the change is about none.</param>
/// <param name="Until">When a ban or mute ends; null: never, or the change is none of both.</param>
public sealed record MemberChanged(
    Conversation Conversation, string User, string Change, string By, string? Role, DateTimeOffset? Until) : ConversationItem(Conversation);

/// <summary>
/// A member of a room of the user's is shown in another way now. May be dropped for a slow reader; <see cref="IChatClient.ProfileOf"/> has
/// the latest.
/// </summary>
/// <param name="User">The member.</param>
/// <param name="Profile">How; null: the user has no profile any more.</param>
public sealed record ProfileChanged(string User, ChatProfile? Profile) : ChatItem;

/// <summary>
/// The user is no longer a member of the room. It was left here or on another device, or something else ended it. The client does not join
/// it again by itself.
/// </summary>
/// <param name="Conversation">The room.</param>
/// <param name="Reason">Null: the user left. <c>removed</c>, <c>banned</c>, <c>deleted</c> (the room), <c>forbidden</c> (by another token),
/// or the error code that refused the join.</param>
public sealed record RoomLeft(Conversation Conversation, string? Reason = null) : ConversationItem(Conversation);

/// <summary>
/// Members came online or went offline. In rooms with many members online both lists are empty and only the count is told. May be dropped
/// for a slow reader.
/// </summary>
/// <param name="Conversation">The room.</param>
/// <param name="Online">Who came.</param>
/// <param name="Offline">Who went.</param>
/// <param name="Count">How many are online now.</param>
public sealed record PresenceChanged(
    Conversation Conversation, IReadOnlyList<string> Online, IReadOnlyList<string> Offline, long Count) : ConversationItem(Conversation);

/// <summary>
/// Another user types or has stopped. May be dropped for a slow reader. The server ends typing 3 s after the typist's last frame.
/// </summary>
public sealed record TypingChanged(Conversation Conversation, string User, bool Active) : ConversationItem(Conversation);

/// <summary>A product's own event from another user, which is not stored. May be dropped for a slow reader.</summary>
/// <param name="Data">JSON; null: none.</param>
public sealed record SignalReceived(Conversation Conversation, string From, string Name, string? Data) : ConversationItem(Conversation);

/// <summary>
/// A read cursor moved. It may be the user's own, moved by another device. May be dropped for a slow reader; a later one includes it.
/// </summary>
/// <param name="Conversation">Where.</param>
/// <param name="User">Who has read.</param>
/// <param name="Seq">All events up to here.</param>
public sealed record ReadCursorMoved(Conversation Conversation, string User, long Seq) : ConversationItem(Conversation);

/// <summary>
/// All events up to <see cref="Seq"/> are committed in the database. May be dropped for a slow reader; a later one includes it.
/// </summary>
public sealed record EventsDurable(Conversation Conversation, long Seq) : ConversationItem(Conversation);

/// <summary>The connection's state changed. For a slow reader only the latest is kept.</summary>
/// <param name="State">What it is now.</param>
/// <param name="Node">The server's node, while connected.</param>
/// <param name="CloseCode">Why the last connection ended: a WebSocket close code, or null for a loss without one.</param>
/// <param name="Reason">The same in words, for a log; null: nothing is known.</param>
/// <param name="RetryIn">While reconnecting: how long until the next attempt.</param>
public sealed record ChatConnectionChanged(
    ChatConnectionState State, string? Node, int? CloseCode, string? Reason, TimeSpan? RetryIn) : ChatItem;

/// <summary>How a client is connected.</summary>
public enum ChatConnectionState
{
    /// <summary>The client was neither connected nor used yet.</summary>
    Idle,

    /// <summary>The first connection is being made.</summary>
    Connecting,

    /// <summary>The connection is there.</summary>
    Connected,

    /// <summary>The connection was lost, and the client makes a new one.</summary>
    Reconnecting,

    /// <summary>The session has ended for good: the client was disposed, or there will be no connection.</summary>
    Closed,
}

/// <summary>Something went wrong and the client works around it. For logs. May be dropped for a slow reader.</summary>
/// <param name="Code">One of <see cref="ChatErrorCodes"/>.</param>
/// <param name="Message">What happened.</param>
/// <param name="Conversation">Where; null: it concerns the connection or all of them.</param>
public sealed record ChatFault(string Code, string Message, Conversation? Conversation = null) : ChatItem;
