using System.Text.Json.Serialization;

namespace AspireChat.Contracts.Frames;

/// <summary>
/// A frame from the server that is not an event (for events see <see cref="EventFrames"/>). Protocol §3 says when each is sent. Immutable.
/// <see cref="ServerFrameCodec"/> encodes frames and leaves out null fields. Four frames are also written by the presence scripts in Redis,
/// and nodes pass them on as they are: <see cref="OnlineFrame"/>, <see cref="OfflineFrame"/> and <see cref="PresenceFrame"/>
/// (presence-diffs.lua) and <see cref="TypingFrame"/> (presence-typing.lua). Tests/Presence compares the scripts' bytes with the codec's.
/// </summary>
public abstract record ServerFrame
{
    /// <summary>The frame's <c>type</c>. It is written first, so that a reader knows early what follows.</summary>
    [JsonPropertyOrder(-1)]
    public string Type => TypeName;

    protected abstract string TypeName { get; }
}

/// <param name="Heartbeat">Seconds between the server's WebSocket pings.</param>
/// <param name="Expires">When the token expires, RFC 3339.</param>
public sealed record WelcomeFrame(string User, string Connection, string Node, int Heartbeat, string Expires) : ServerFrame
{
    protected override string TypeName => "welcome";
}

public sealed record AckFrame(string Nonce, Guid Id, long Seq, string Epoch, string Timestamp, string? Room, string? To, bool? Duplicate) : ServerFrame
{
    protected override string TypeName => "ack";
}

public sealed record DurableFrame(string? Room, string? To, long Seq) : ServerFrame
{
    protected override string TypeName => "durable";
}

/// <param name="Seq">The head. Live events start at exactly the next seq.</param>
/// <param name="Members">At most 100 of the members that are online now, with the receiver among them.</param>
/// <param name="Count">How many are online.</param>
/// <param name="Typing">Users typing now.</param>
/// <param name="Read">The receiver's read cursor.</param>
public sealed record JoinedFrame(
    string Room, long Seq, string Epoch, IReadOnlyList<string> Members, long Count, IReadOnlyList<string> Typing, long Read, RawJson? Ref) : ServerFrame
{
    /// <summary>Of the users named, those who have one (<see cref="ProfileJson"/>); null: nobody has.</summary>
    public IReadOnlyDictionary<string, RawJson>? Profiles { get; init; }

    /// <summary>The receiver's, in the room.</summary>
    public string? Role { get; init; }

    public string? Visibility { get; init; }

    public string? Sending { get; init; }

    public string? Name { get; init; }

    public string? Topic { get; init; }

    protected override string TypeName => "joined";
}

/// <param name="Seq">The last seq that was replayed.</param>
public sealed record ResumedFrame(string? Room, string? To, long Seq, long Head, bool Complete, string Epoch, RawJson? Ref) : ServerFrame
{
    protected override string TypeName => "resumed";
}

public sealed record LeftFrame(string Room, RawJson? Ref) : ServerFrame
{
    /// <summary>
    /// <c>removed</c>, <c>banned</c>, <c>deleted</c> (the room) or <c>forbidden</c> (by another token); null: the user left.
    /// </summary>
    public string? Reason { get; init; }

    protected override string TypeName => "left";
}

/// <summary>Somebody else changed what a user is in a room; member.lua writes it. To the members and to the user.</summary>
/// <param name="Change"><c>added</c>, <c>removed</c>, <c>role</c>, <c>banned</c>, <c>unbanned</c>, <c>muted</c> or <c>unmuted</c>.</param>
/// <param name="Until">When a ban or mute ends; null: it does not.</param>
public sealed record MemberFrame(string Room, string User, string Change, string? Role, string? Until, string By) : ServerFrame
{
    protected override string TypeName => "member";
}

/// <param name="Users">The users who came online in the room.</param>
/// <param name="Count">How many are online there now.</param>
public sealed record OnlineFrame(string Room, IReadOnlyList<string> Users, long Count) : ServerFrame
{
    /// <summary>Of the users named, those who have one (<see cref="ProfileJson"/>); null: nobody has.</summary>
    public IReadOnlyDictionary<string, RawJson>? Profiles { get; init; }

    protected override string TypeName => "online";
}

public sealed record OfflineFrame(string Room, IReadOnlyList<string> Users, long Count) : ServerFrame
{
    protected override string TypeName => "offline";
}

/// <summary>The count that rooms with more than 200 members online hear instead of names.</summary>
public sealed record PresenceFrame(string Room, long Count) : ServerFrame
{
    protected override string TypeName => "presence";
}

/// <summary>A user of the receiver's rooms is shown in another way now. Without name and picture, the user has none any more.</summary>
public sealed record ProfileFrame(string User, string? Name, string? Picture) : ServerFrame
{
    protected override string TypeName => "profile";
}

public sealed record TypingFrame(string From, string? Room, string? To, bool Active) : ServerFrame
{
    protected override string TypeName => "typing";
}

public sealed record ReadFrame(string From, string? Room, string? To, long Seq) : ServerFrame
{
    protected override string TypeName => "read";
}

/// <summary>A product's own event, which is not stored.</summary>
public sealed record SignalFrame(string From, string? Room, string? To, string Name, RawJson? Data) : ServerFrame
{
    protected override string TypeName => "signal";
}

/// <param name="RetryAfter">Milliseconds.</param>
public sealed record ErrorFrame(string Code, string Message, string? Nonce, RawJson? Ref, int? RetryAfter) : ServerFrame
{
    protected override string TypeName => "error";

    public static ErrorFrame Of(FrameError error) => new(error.Code, error.Message, error.Nonce, RawJson.Of(error.Ref), error.RetryAfter);
}

/// <param name="After">Milliseconds to wait before connecting again, jittered.</param>
public sealed record ReconnectFrame(int After) : ServerFrame
{
    protected override string TypeName => "reconnect";
}

public sealed record PongFrame(RawJson? Ref) : ServerFrame
{
    protected override string TypeName => "pong";
}

public sealed record AuthenticatedFrame(string Expires, RawJson? Ref) : ServerFrame
{
    protected override string TypeName => "authenticated";
}
