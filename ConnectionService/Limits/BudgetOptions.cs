using System.ComponentModel.DataAnnotations;

namespace AspireChat.ConnectionService.Limits;

/// <summary>
/// What one user may cost this node besides events (docs/limits.md). Budgets are the user's, over all of their connections. One that is spent slows
/// the user's own connections down, unless its summary says otherwise. Section <c>Budgets</c>.
/// </summary>
public sealed class BudgetOptions
{
    public const string Section = "Budgets";

    /// <summary>Connections that a user may open per second; more are closed at once (1013). Default 5.</summary>
    [Range(0.01, 1_000_000)]
    public double ConnectsPerSecond { get; set; } = 5;

    /// <summary>Connections that a user may open at once after a pause. Default 40: all of them, twice.</summary>
    [Range(1, 1_000_000)]
    public int ConnectBurst { get; set; } = 40;

    /// <summary>
    /// Events that a user may try to send per second, whatever becomes of them. A repeat costs work but no event of the limit
    /// <c>Sockets:EventsPerSecond</c>; more are answered <c>rate_limited</c>. Never less than twice that limit. Default 40.
    /// </summary>
    [Range(0.1, 1_000_000)]
    public double AttemptsPerSecond { get; set; } = 40;

    /// <summary>Events that a user may try to send at once after a pause: what a client repeats after a reconnect. Default 400.</summary>
    [Range(1, 1_000_000)]
    public int AttemptBurst { get; set; } = 400;

    /// <summary>
    /// WebSocket frames of any kind per second, over all connections of a user. Never less than <c>Sockets:FramesPerSecond</c>, which counts each
    /// connection. Default 400.
    /// </summary>
    [Range(1, 1_000_000)]
    public double FramesPerSecond { get; set; } = 400;

    /// <summary>Frames that the connections of a user may send at once after a pause. Default 1,000: a fifth of a second of a core.</summary>
    [Range(1, 1_000_000)]
    public int FrameBurst { get; set; } = 1_000;

    /// <summary>
    /// Conversations per second that a user may ask for: each join, leave and <c>auth</c>, and each conversation of a <c>resume</c>. A join of a new
    /// room costs all services together about 3 ms of CPU. Default 100.
    /// </summary>
    [Range(0.1, 1_000_000)]
    public double ConversationsPerSecond { get; set; } = 100;

    /// <summary>
    /// Conversations that a user may ask for at once after a pause. Default 400: a device with 200 rooms and 200 direct conversations.
    /// </summary>
    [Range(1, 1_000_000)]
    public int ConversationBurst { get; set; } = 400;

    /// <summary>
    /// Refused frames of a user per second, over all connections. More close the connection that sends them (4009), as
    /// <c>Sockets:RefusedPerSecond</c> does for one connection. Default 50.
    /// </summary>
    [Range(0.1, 1_000_000)]
    public double RefusedPerSecond { get; set; } = 50;

    /// <summary>Refused frames that a user may send at once after a pause. Default 1,000.</summary>
    [Range(1, 1_000_000)]
    public int RefusedBurst { get; set; } = 1_000;

    /// <summary>
    /// Signals of a user per second: typing notices, read cursors and <c>signal</c> frames, which the node passes on to every member of a room. More
    /// typing notices are dropped, and signals answered <c>rate_limited</c>; read cursors wait, and the last of a conversation wins. Default 20.
    /// </summary>
    [Range(0.1, 1_000_000)]
    public double SignalsPerSecond { get; set; } = 20;

    /// <summary>Signals that a user may send at once after a pause. Default 100.</summary>
    [Range(1, 1_000_000)]
    public int SignalBurst { get; set; } = 100;

    /// <summary>Bytes per second that are replayed to the connections of a user. Default 2 MiB.</summary>
    [Range(1_024, 1024 * 1024 * 1024)]
    public double ReplayBytesPerSecond { get; set; } = 2 * 1024 * 1024;

    /// <summary>Bytes that are replayed at once after a pause. Default 32 MiB: 400 conversations with 500 short messages each.</summary>
    [Range(1_024, int.MaxValue)]
    public int ReplayByteBurst { get; set; } = 32 * 1024 * 1024;

    /// <summary>
    /// Bytes that wait in the queues of all connections of this node. Above it, connections are closed as too slow (4008), the one with most first,
    /// until a fifth is free. Default 256 MiB.
    /// </summary>
    [Range(1024 * 1024, 64L * 1024 * 1024 * 1024)]
    public long NodeOutboundBytes { get; set; } = 256 * 1024 * 1024;
}
