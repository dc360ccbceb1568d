namespace AspireChat.Contracts.Rooms;

/// <summary>What somebody may want to do in a room.</summary>
public enum RoomAction
{
    /// <summary>Learn that the room exists and what it is.</summary>
    See,

    /// <summary>Read its history and its members.</summary>
    Read,
    Join,
    Send,
    Edit,
    React,

    /// <summary>Delete a message of one's own.</summary>
    Delete,

    /// <summary>Add and remove members, ban, mute, delete anybody's message.</summary>
    Moderate,

    /// <summary>Change the room, give roles, delete the room.</summary>
    Own,
    Leave,
}

public enum RoomVerdict
{
    Allowed,

    /// <summary>The room may be seen, but this may not be done in it.</summary>
    Forbidden,

    /// <summary>The room does not exist, or must look as if it did not.</summary>
    NotFound,
}

/// <summary>What a user is in a room at one moment, as standing.lua tells it.</summary>
/// <param name="Role">Anything but <see cref="RoomRole.None"/>: the user is a member.</param>
public sealed record RoomStanding(
    bool Exists, RoomVisibility Visibility, RoomSending Sending, RoomRole Role, bool Banned = false, bool Muted = false);

/// <summary>
/// The one answer to what a user may do in a room. rules.lua is the same for what scripts decide, and a test compares both over all cases.
/// Thread-safe: pure functions.
/// </summary>
public static class RoomRules
{
    /// <summary>The rights of a token's claim <c>rooms</c>.</summary>
    public const int Read = 1, Join = 2, Send = 4, Moderate = 8;

    /// <param name="rights">What the token grants for this room; null: the token has no claim, and the room's rules decide alone.</param>
    public static RoomVerdict May(RoomStanding standing, int? rights, RoomAction action)
    {
        if (!standing.Exists)
        {
            return RoomVerdict.NotFound;
        }

        var isPublic = standing.Visibility == RoomVisibility.Public;
        var isMember = standing.Role != RoomRole.None && !standing.Banned;
        // A token that opens a room opens it to whoever is no member, but never to whoever is banned.
        var isSeen = isPublic || (!standing.Banned && (rights is null ? isMember : Has(rights, Read) || Has(rights, Join)));
        var refusal = isSeen ? RoomVerdict.Forbidden : RoomVerdict.NotFound;
        var isOpen = isPublic || isMember;
        var allowed = action switch
        {
            RoomAction.See => rights is null ? isSeen : isSeen && (Has(rights, Read) || Has(rights, Join)),
            _ when standing.Banned => false,
            RoomAction.Read => rights is null ? isOpen : Has(rights, Read),
            RoomAction.Join => rights is null ? isOpen : Has(rights, Join),
            RoomAction.Send or RoomAction.Edit => isMember && Has(rights, Send) && !standing.Muted
                && (standing.Sending == RoomSending.Members || RankOf(standing, rights) >= RoomRole.Moderator),
            RoomAction.React => isMember && Has(rights, Send) && !standing.Muted,
            RoomAction.Delete => isMember && Has(rights, Send),
            RoomAction.Moderate => RankOf(standing, rights) >= RoomRole.Moderator,
            RoomAction.Own => RankOf(standing, rights) >= RoomRole.Owner,
            RoomAction.Leave => isMember,
            _ => false,
        };
        return allowed ? RoomVerdict.Allowed : refusal;
    }

    /// <summary>The role that counts: a token that does not grant <c>moderate</c> makes a moderator or an owner a member.</summary>
    public static RoomRole RankOf(RoomStanding standing, int? rights) =>
        standing.Banned ? RoomRole.None
        : Has(rights, Moderate) || standing.Role == RoomRole.None ? standing.Role
        : RoomRole.Member;

    private static bool Has(int? rights, int right) => rights is null || (rights & right) != 0;
}
