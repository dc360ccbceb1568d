using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Rooms;

namespace AspireChat.Contracts.Log;

/// <summary>
/// One record of a partition's log: an event of a conversation (<see cref="ConversationEvent"/>), a change of membership
/// (<see cref="MembershipRecord"/>), of a read cursor (<see cref="ReadRecord"/>) or of a user (<see cref="ProfileRecord"/>,
/// <see cref="RevokeRecord"/>). The project RedisLog stores it. Immutable.
/// </summary>
public abstract record LogRecord
{
    public required ConversationKey Conversation { get; init; }

    /// <summary>When the server accepted it, Unix milliseconds.</summary>
    public required long Timestamp { get; init; }
}

/// <summary>The kinds of event that use up a seq (protocol §3). The wire and storage name is the lower-case member name.</summary>
public enum EventKind
{
    Room,
    Dm,
    Edit,
    Delete,
    React,
}

public static class EventKinds
{
    /// <summary>The wire and storage names, by kind.</summary>
    internal static readonly string[] Names = ["room", "dm", "edit", "delete", "react"];

    /// <summary>The wire and storage name of <paramref name="kind"/>.</summary>
    public static string NameOf(EventKind kind) => Names[(int)kind];
}

/// <summary>
/// An event of a conversation. <see cref="Seq"/> and <see cref="Epoch"/> are not part of the stored JSON. append.lua assigns them, and they
/// stand beside the record wherever it is stored or published. Not sealed, because RedisLog derives a traced event from it.
/// </summary>
public record ConversationEvent : LogRecord
{
    public required EventKind Kind { get; init; }

    /// <summary>A UUID version 7 of the node that accepted the event. It distinguishes two events that claim one seq.</summary>
    public required Guid Id { get; init; }

    public required string From { get; init; }

    /// <summary>
    /// The sender's display name at that moment; null: none. Live events carry it, so that nothing is looked up for each receiver.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>The client chooses it. It is unique per sender and conversation, and only the sender sees it.</summary>
    public required string Nonce { get; init; }

    /// <summary>The text of a message or edit; null for other kinds.</summary>
    public string? Content { get; init; }

    /// <summary>The seq that an edit, delete or reaction refers to; 0 otherwise.</summary>
    public long Target { get; init; }

    public string? Emoji { get; init; }

    /// <summary>A reaction is taken back.</summary>
    public bool Remove { get; init; }

    /// <summary>The message was deleted, and its content is empty now.</summary>
    public bool Deleted { get; init; }

    /// <summary>Of a message or an edit, what it carries beside its text; null for most.</summary>
    public MessageDetails? Details { get; init; }

    public long Seq { get; init; }

    public string Epoch { get; init; } = "";
}

/// <summary>A user became a member of a room, or stopped being one. Written by join.lua and leave.lua.</summary>
public sealed record MembershipRecord : LogRecord
{
    public required string User { get; init; }

    public required bool Joined { get; init; }

    /// <summary>The read cursor that a new member starts with: the room's head at that moment.</summary>
    public long Read { get; init; }

    /// <summary>The user is the room's owner from now on; of a leave: was its last one, and who joins next is the owner.</summary>
    public bool Owner { get; init; }

    /// <summary>The join created the room.</summary>
    public bool Creates { get; init; }
}

/// <summary>What somebody else changed about a user in a room. The wire and storage name is the lower-case member name.</summary>
public enum MemberChange
{
    Added,
    Removed,
    Role,
    Banned,
    Unbanned,
    Muted,
    Unmuted,
}

public static class MemberChanges
{
    private static readonly string[] Names = [.. Enum.GetNames<MemberChange>().Select(name => name.ToLowerInvariant())];

    public static string NameOf(MemberChange change) => Names[(int)change];

    public static bool TryParse(string? name, out MemberChange change)
    {
        var at = Array.IndexOf(Names, name);
        change = at < 0 ? default : (MemberChange)at;
        return at >= 0;
    }
}

/// <summary>A moderator, an owner or the server changed what a user is in a room. Written by member.lua.</summary>
public sealed record MemberChangeRecord : LogRecord
{
    public required string User { get; init; }

    public required MemberChange Change { get; init; }

    /// <summary>Who did it.</summary>
    public required string By { get; init; }

    /// <summary>With <see cref="MemberChange.Added"/> and <see cref="MemberChange.Role"/>.</summary>
    public RoomRole Role { get; init; }

    /// <summary>Of a ban or mute: when it ends, Unix milliseconds; 0: it does not.</summary>
    public long Until { get; init; }

    public string? Reason { get; init; }

    /// <summary>The read cursor of a member.</summary>
    public long Read { get; init; }

    /// <summary>The membership has ended.</summary>
    public bool IsOut => Change is MemberChange.Removed or MemberChange.Banned;
}

/// <summary>A room was created, changed or deleted. Written by room.lua; a room that a join created has none.</summary>
public sealed record RoomRecord : LogRecord
{
    /// <summary><c>created</c>, <c>updated</c> or <c>deleted</c>.</summary>
    public required string Change { get; init; }

    /// <summary>Who did it.</summary>
    public required string By { get; init; }

    /// <summary>All of them as they are now; meaningless for a deletion.</summary>
    public required RoomSettings Settings { get; init; }

    /// <summary>Of a deletion: the room's head. Nothing up to it is read any more.</summary>
    public long Floor { get; init; }

    /// <summary>Of a deletion: how often the room has been deleted.</summary>
    public int Life { get; init; }

    public bool IsDeletion => Change == "deleted";
}

/// <summary>A user's read cursor moved forward. Written by read.lua.</summary>
public sealed record ReadRecord : LogRecord
{
    public required string User { get; init; }

    public required long Seq { get; init; }
}

/// <summary>A user is known from now on, or is shown in another way. Written by profile.lua, under the user's own conversation.</summary>
public sealed record ProfileRecord : LogRecord
{
    public required string User { get; init; }

    /// <summary>Null: the user has none.</summary>
    public UserProfile? Profile { get; init; }

    /// <summary>False: only that the user is known is said, and a profile that stands stays.</summary>
    public required bool IsSaid { get; init; }
}

/// <summary>
/// The user's tokens that were issued until <see cref="LogRecord.Timestamp"/> are revoked. Written by revoke.lua likewise.
/// </summary>
public sealed record RevokeRecord : LogRecord
{
    public required string User { get; init; }
}
