namespace AspireChat.Benchmarks.Load;

/// <summary>How clients reach the nodes.</summary>
internal enum Way
{
    Direct,
    Gateway,
}

/// <summary>One kind of traffic. Content always has 200 bytes.</summary>
/// <param name="Conversations">Rooms, or pairs of users.</param>
/// <param name="Members">Connections per conversation, each its own user; 2 for direct conversations.</param>
/// <param name="Rate">Messages per second over all conversations; 0 for as many as the system takes.</param>
internal sealed record Scenario(string Name, int Conversations, int Members, int Rate, bool IsDirect = false)
{
    private const int MostSenders = 20;

    /// <summary>
    /// Most messages that one sender has under way; it waits for its own copies. Without a rate this keeps the system full but not flooded.
    /// With a rate it matters only when the system cannot keep up.
    /// </summary>
    public int Window => Rate == 0 ? 8 : 64;

    public int Connections => Conversations * Members;

    /// <summary>Members that send, per conversation.</summary>
    public int Senders => Math.Min(Members, MostSenders);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("room-200-200", 1, 200, 200),
        new("room-200-20", 1, 200, 20),
        new("room-1000-20", 1, 1_000, 20),
        new("rooms-100x10", 100, 10, 500),
        new("room-200-saturated", 1, 200, 0),
        new("dms-250", 250, 2, 500, IsDirect: true),
    ];

    /// <summary>The rows whose ratio has a goal.</summary>
    public static IReadOnlyList<string> Quick { get; } = ["room-200-200", "room-200-20", "room-1000-20", "rooms-100x10"];

    /// <summary>The traffic that warms a system up: large frames of work and small ones.</summary>
    public static IReadOnlyList<string> WarmUp { get; } = ["room-200-200", "room-1000-20", "rooms-100x10"];
}
