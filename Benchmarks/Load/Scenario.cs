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

    /// <summary>Opens connections that stay idle, to measure memory.</summary>
    public bool IsIdle { get; init; }

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
        new("room-200-20", 1, 200, 20),
        new("room-200-100", 1, 200, 100),
        new("room-200-200", 1, 200, 200),
        new("room-200-500", 1, 200, 500),
        new("room-200-saturated", 1, 200, 0),
        new("room-1000-20", 1, 1_000, 20),
        new("room-1000-100", 1, 1_000, 100),
        new("room-1000-saturated", 1, 1_000, 0),
        new("rooms-100x10", 100, 10, 500),
        new("dms-250", 250, 2, 500, IsDirect: true),
        new("idle-5000", 100, 50, 0) { IsIdle = true },
    ];

    /// <summary>The rows that have goals.</summary>
    public static IReadOnlyList<string> Quick { get; } = ["room-200-200", "room-200-saturated", "room-1000-20", "rooms-100x10"];
}
