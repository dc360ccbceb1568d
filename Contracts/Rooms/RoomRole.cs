namespace AspireChat.Contracts.Rooms;

/// <summary>What a user is in a room. A higher number may do more; the wire name is the lower-case member name.</summary>
public enum RoomRole
{
    /// <summary>No member.</summary>
    None,
    Member,
    Moderator,
    Owner,
}

public enum RoomVisibility
{
    /// <summary>Any user may read and join.</summary>
    Public,

    /// <summary>Members only. To anybody else the room does not exist.</summary>
    Private,
}

public enum RoomSending
{
    Members,
    Moderators,
}

/// <summary>The wire and storage names of roles. Thread-safe: pure functions.</summary>
public static class RoomRoles
{
    /// <summary>Null for <see cref="RoomRole.None"/>.</summary>
    public static string? NameOf(RoomRole role) => role switch
    {
        RoomRole.Member => "member",
        RoomRole.Moderator => "moderator",
        RoomRole.Owner => "owner",
        _ => null,
    };

    /// <summary>False for any other text.</summary>
    public static bool TryParse(string? name, out RoomRole role)
    {
        role = name switch
        {
            "member" => RoomRole.Member,
            "moderator" => RoomRole.Moderator,
            "owner" => RoomRole.Owner,
            _ => RoomRole.None,
        };
        return role != RoomRole.None;
    }
}
