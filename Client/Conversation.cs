using System.Diagnostics.CodeAnalysis;
using AspireChat.Contracts;

namespace AspireChat.Client;

/// <summary>
/// The name of a conversation as the client's user sees it: a room, or the direct conversation with another user. Immutable.
/// </summary>
public readonly record struct Conversation
{
    private Conversation(string? room, string? user) => (RoomId, User) = (room, user);

    /// <summary>The room's id; null for a direct conversation.</summary>
    public string? RoomId { get; }

    /// <summary>The other user's id; null for a room.</summary>
    public string? User { get; }

    /// <summary>Whether it is a room. Else it is a direct conversation.</summary>
    [MemberNotNullWhen(true, nameof(RoomId))]
    [MemberNotNullWhen(false, nameof(User))]
    public bool IsRoom => RoomId is not null;

    /// <summary>The room with this id. It need not exist.</summary>
    /// <param name="room">1–64 characters of <c>A-Z a-z 0-9 _ . -</c>, not <c>.</c> or <c>..</c>.</param>
    /// <exception cref="ArgumentException">It is not an identifier.</exception>
    public static Conversation Room(string room) => RoomIds.IsValid(room) ? new(room, null) : throw Refused(RoomIds.Rule, nameof(room));

    /// <summary>
    /// The direct conversation with a user. It may be the client's own user, or <c>system</c>, to read what the server wrote.
    /// </summary>
    /// <param name="user">1–128 characters of <c>A-Z a-z 0-9 _ . - @ | : + = ~</c>, not <c>.</c> or <c>..</c>.</param>
    /// <exception cref="ArgumentException">It is not an identifier.</exception>
    public static Conversation With(string user) => UserIds.IsSender(user) ? new(null, user) : throw Refused(UserIds.Rule, nameof(user));

    /// <summary><c>#lobby</c> or <c>@bob</c>.</summary>
    public override string ToString() => IsRoom ? "#" + RoomId : "@" + User;

    internal Conversation Named(string parameter) =>
        this == default
            ? throw new ArgumentException("Name a conversation: Conversation.Room(…) or Conversation.With(…).", parameter)
            : this;

    private static ArgumentException Refused(string rule, string parameter) => new($"The id must be {rule}.", parameter);
}

/// <summary>
/// A place in a conversation's log: every event up to <paramref name="Seq"/> is known. An application that keeps it can continue there
/// after a restart (<see cref="ChatClient.JoinAsync"/>, <see cref="ChatClient.Follow"/>). Every <see cref="ChatEvent"/> has one.
/// </summary>
/// <param name="Seq">0 when no event is known yet.</param>
/// <param name="Epoch">The log that the seq belongs to; null only before the server has named it.</param>
public readonly record struct ConversationCursor(long Seq, string? Epoch);
