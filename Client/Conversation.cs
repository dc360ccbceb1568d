using System.Diagnostics.CodeAnalysis;
using AspireChat.Contracts;

namespace AspireChat.Client;

/// <summary>
/// Names a conversation as the client's user sees it: a room, or the direct one with another user. Immutable; equal by value.
/// </summary>
public readonly record struct Conversation
{
    private Conversation(string? room, string? user) => (RoomId, User) = (room, user);

    /// <summary>The room's id; null for a direct conversation.</summary>
    public string? RoomId { get; }

    /// <summary>The other user's id; null for a room.</summary>
    public string? User { get; }

    [MemberNotNullWhen(true, nameof(RoomId))]
    [MemberNotNullWhen(false, nameof(User))]
    public bool IsRoom => RoomId is not null;

    /// <param name="room">1–64 characters of <c>A-Z a-z 0-9 _ . -</c>, not <c>.</c> or <c>..</c>.</param>
    /// <exception cref="ArgumentException">It is no identifier.</exception>
    public static Conversation Room(string room) => new(Checked(room, nameof(room)), null);

    /// <summary>The direct conversation with a user; with the client's own user it is a conversation with oneself.</summary>
    /// <exception cref="ArgumentException">It is no identifier.</exception>
    public static Conversation With(string user) => new(null, Checked(user, nameof(user)));

    /// <summary><c>#lobby</c> or <c>@bob</c>.</summary>
    public override string ToString() => IsRoom ? "#" + RoomId : "@" + User;

    internal Conversation Named(string parameter) =>
        this == default
            ? throw new ArgumentException("Name a conversation: Conversation.Room(…) or Conversation.With(…).", parameter)
            : this;

    private static string Checked(string id, string parameter) => Identifiers.IsValid(id)
        ? id
        : throw new ArgumentException("Use 1 to 64 characters of A-Z a-z 0-9 _ . - and not . or ..", parameter);
}

/// <summary>
/// A place in a conversation's log: everything up to <paramref name="Seq"/> is known. Kept by an application, it is where to go on from
/// after a restart (<see cref="ChatClient.JoinAsync"/>, <see cref="ChatClient.Follow"/>). Every <see cref="ChatEvent"/> is one.
/// </summary>
/// <param name="Seq">0: nothing is known yet.</param>
/// <param name="Epoch">The log that the seq belongs to; null only before the server has named it.</param>
public readonly record struct Cursor(long Seq, string? Epoch);
