using AspireChat.Benchmarks.Load;

namespace AspireChat.Benchmarks.Presence;

/// <summary>One user of a <see cref="Crowd"/> with at most one connection, and what that connection was told about others.</summary>
internal sealed class Member(int index, int node, int[] rooms)
{
    public int Index { get; } = index;

    public string Name { get; } = NameOf(index);

    /// <summary>The index of the node that the user connects to.</summary>
    public int Node { get; set; } = node;

    public int[] Rooms { get; } = rooms;

    public WireConnection? Connection { get; set; }

    /// <summary>Joins that are not answered yet, plus one for the welcome.</summary>
    public int Unanswered { get; set; }

    public bool IsReady => Connection is { IsOpen: true } && Unanswered == 0;

    /// <summary>The timestamp at which it last began to connect, or closed.</summary>
    public long ChangedAt { get; set; }

    /// <summary>By room, the users that are online according to what this member was told.</summary>
    public Dictionary<int, Belief> Beliefs { get; } = [];

    /// <summary><c>online</c>, <c>offline</c> and <c>presence</c> frames since the crowd's counters were last reset.</summary>
    public int PresenceFrames { get; set; }

    public static string NameOf(int index) => $"u{index}";

    public static string RoomOf(int room) => $"r{room}";
}

/// <summary>What one connection believes about one room.</summary>
internal sealed class Belief
{
    public HashSet<int> Names { get; } = [];

    public long Count { get; set; }
}
