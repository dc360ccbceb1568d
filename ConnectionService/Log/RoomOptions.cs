using System.ComponentModel.DataAnnotations;

namespace AspireChat.ConnectionService.Log;

/// <summary>Who may create rooms.</summary>
public enum RoomCreation
{
    /// <summary>Any user, also by the first <c>join</c>.</summary>
    Anyone,

    /// <summary>Only the server API. A <c>join</c> of a room that does not exist is answered <c>not_found</c>.</summary>
    Server,
}

/// <summary>Rooms and their rules. Section <c>Rooms</c>.</summary>
public sealed class RoomOptions
{
    public const string Section = "Rooms";

    /// <summary>Who creates rooms: <c>Anyone</c> or <c>Server</c>. Default <c>Anyone</c>.</summary>
    [EnumDataType(typeof(RoomCreation))]
    public RoomCreation CreatedBy { get; set; } = RoomCreation.Anyone;

    /// <summary>
    /// Bans that a room has at once: a further one is answered <c>limit</c>. Each costs about 100 bytes of Redis, and <c>GET …/bans</c> answers
    /// all of them. Default 1,000.
    /// </summary>
    [Range(1, 10_000)]
    public int BansPerRoom { get; set; } = 1_000;

    /// <summary>Mutes that a room has at once: a further one is answered <c>limit</c>. Default 1,000.</summary>
    [Range(1, 10_000)]
    public int MutesPerRoom { get; set; } = 1_000;

    /// <summary>
    /// How long the answer to a change of a room waits for PostgreSQL, whose lists show it from then on. After that it is answered all the
    /// same. Default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:30")]
    public TimeSpan CommitWait { get; set; } = TimeSpan.FromSeconds(2);
}
