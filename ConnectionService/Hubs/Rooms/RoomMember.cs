using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Hubs.Rooms;

/// <summary>A local connection that has joined a room. Belongs to the room's hub.</summary>
internal sealed class RoomMember(Connection connection, RoomPass pass)
{
    public Connection Connection { get; } = connection;

    public RoomPass Pass { get; set; } = pass;

    /// <summary>When the log took the join, microseconds of its clock: a leave of an earlier moment is not about this.</summary>
    public long JoinedAt { get; set; }

    /// <summary>The last seq that the connection has; live events up to it are not for it.</summary>
    public long Position { get; set; }

    /// <summary>Set while the connection catches up; live events reach it through the replay then.</summary>
    public Replay? Replay { get; set; }
}

/// <summary>A join that is not answered yet. Belongs to the room's hub.</summary>
internal sealed record PendingJoin(Connection Connection, RoomPass Pass, long? Since, string? ClientEpoch, RawJson? Ref)
{
    /// <summary>The room's place, once the log has told.</summary>
    public JoinResult? Result { get; set; }
}

/// <summary>A leave that is not answered yet: one question to the log for all connections of a user that asked. Belongs to the room's hub.</summary>
internal sealed class PendingLeave
{
    public List<(Connection Connection, RoomPass Pass, RawJson? Ref)> Requests { get; } = [];

    /// <summary>Joins of the same user that came meanwhile.</summary>
    public List<PendingJoin> Joins { get; } = [];

    public bool Asked { get; set; }

    /// <summary>Connections among the requests that are out already, because another message told of the leave first.</summary>
    public HashSet<Connection> Out { get; } = [];
}
