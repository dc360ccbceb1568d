namespace AspireChat.Client;

/// <summary>What a user is in a room. A higher value may do more.</summary>
public enum RoomRole
{
    /// <summary>Reads and sends.</summary>
    Member = 1,

    /// <summary>Also adds and removes members, bans, mutes, and deletes anybody's message.</summary>
    Moderator,

    /// <summary>Also changes and deletes the room, and gives roles.</summary>
    Owner,
}

/// <summary>Who may read and join a room.</summary>
public enum RoomVisibility
{
    /// <summary>Any user.</summary>
    Public,

    /// <summary>Members only. To anybody else the room does not exist.</summary>
    Private,
}

/// <summary>Who may send to a room.</summary>
public enum RoomSending
{
    /// <summary>Every member.</summary>
    Members,

    /// <summary>Moderators and owners.</summary>
    Moderators,
}

/// <summary>A room at one moment. Immutable.</summary>
public sealed record RoomInfo
{
    /// <summary>Its id.</summary>
    public required string Room { get; init; }

    /// <summary>How it is shown; null: by its id.</summary>
    public string? Name { get; init; }

    /// <summary>What it is about; null: it does not say.</summary>
    public string? Topic { get; init; }

    /// <summary>Who may read and join.</summary>
    public RoomVisibility Visibility { get; init; }

    /// <summary>Who may send.</summary>
    public RoomSending Sending { get; init; }

    /// <summary>The product's own JSON object; null: none.</summary>
    public string? Meta { get; init; }

    /// <summary>After how many days messages are removed; null: as the system's setting says.</summary>
    public int? RetentionDays { get; init; }

    /// <summary>When it was created; null: not known.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>How many members it has.</summary>
    public long Members { get; init; }

    /// <summary>The seq of its last event; 0: none yet.</summary>
    public long Head { get; init; }

    /// <summary>The caller is a member. False for the server.</summary>
    public bool Joined { get; init; }

    /// <summary>The caller's role; null: no member.</summary>
    public RoomRole? Role { get; init; }
}

/// <summary>
/// Settings of a room that is created or changed. A setting that is null stays as it is, or as it is by default in a new room. Immutable.
/// </summary>
public sealed record RoomSettings
{
    /// <summary>At most 100 characters. An empty text takes it away.</summary>
    public string? Name { get; init; }

    /// <summary>At most 1,000 characters. An empty text takes it away.</summary>
    public string? Topic { get; init; }

    /// <summary>Default <see cref="RoomVisibility.Public"/>.</summary>
    public RoomVisibility? Visibility { get; init; }

    /// <summary>Default <see cref="RoomSending.Members"/>.</summary>
    public RoomSending? Sending { get; init; }

    /// <summary>A JSON object of the product's own, at most 4 KiB. An empty text takes it away.</summary>
    public string? Meta { get; init; }

    /// <summary>
    /// Messages are removed after so many days, 1–36,500. 0 takes it away, so that the system's setting holds. Only the server sets it;
    /// from a user it is ignored.
    /// </summary>
    public int? RetentionDays { get; init; }
}

/// <summary>A member of a room. Immutable.</summary>
/// <param name="User">The user's id.</param>
/// <param name="Role">What the member may do.</param>
public sealed record RoomMember(string User, RoomRole Role)
{
    /// <summary>Has a connection. Only lists of members tell it.</summary>
    public bool Online { get; init; }

    /// <summary>The seq up to which the member has read. Only lists of members tell it.</summary>
    public long Read { get; init; }
}

/// <summary>What became of one user of those that were to be added.</summary>
/// <param name="User">The user's id.</param>
/// <param name="Code">Null: a member now. Else why not: <c>forbidden</c> (banned) or <c>limit</c> (there are as many as there may
/// be).</param>
public sealed record AddMemberResult(string User, string? Code);

/// <summary>A ban. Immutable.</summary>
/// <param name="User">Who is banned.</param>
/// <param name="Until">When it ends; null: it does not.</param>
/// <param name="Reason">What the moderator gave as the reason; null: nothing.</param>
/// <param name="By">The moderator, or <c>system</c> for the server.</param>
public sealed record RoomBan(string User, DateTimeOffset? Until, string? Reason, string By);
