using System.ComponentModel.DataAnnotations;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Connections;

/// <summary>The limits of a socket (protocol §4). Section <c>Sockets</c>.</summary>
public sealed class SocketOptions : IValidatableObject
{
    public const string Section = "Sockets";

    /// <summary>
    /// Longest frame of a client, in bytes; a longer one is answered <c>too_large</c> and the socket stays. Default 32 KiB.
    /// </summary>
    [Range(1_024, 16 * 1024 * 1024)]
    public int FrameBytes { get; set; } = 32 * 1024;

    /// <summary>
    /// A message of more than this many frames' length closes the socket (1009): reading it away would cost too much. Default 8.
    /// </summary>
    [Range(1, 1_000)]
    public int FarTooLargeFactor { get; set; } = 8;

    /// <summary>Longest content, in UTF-16 code units. Default 8,000.</summary>
    [Range(1, 1_000_000)]
    public int Content { get; set; } = 8_000;

    /// <summary>Most conversations in one <c>resume</c>. Default 200.</summary>
    [Range(1, 10_000)]
    public int ResumedConversations { get; set; } = 200;

    /// <summary>Events (room, dm, edit, delete, react, POST) that a user may send per second, on this node. Default 20.</summary>
    [Range(0.1, 1_000_000)]
    public double EventsPerSecond { get; set; } = 20;

    /// <summary>Events that a user may send at once after a pause. Default 40.</summary>
    [Range(1, 1_000_000)]
    public int EventBurst { get; set; } = 40;

    /// <summary>Default 200.</summary>
    [Range(1, 100_000)]
    public int RoomsPerConnection { get; set; } = 200;

    /// <summary>Counted on this node. Default 20.</summary>
    [Range(1, 100_000)]
    public int ConnectionsPerUser { get; set; } = 20;

    /// <summary>Bytes that wait to be sent to one connection; beyond it is closed as too slow (4008). Default 1 MiB.</summary>
    [Range(64 * 1024, 256 * 1024 * 1024)]
    public int OutboundBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// Whose code frames messages. <see cref="SocketFraming.Own"/> (the default) shares ready frames between connections and writes them to
    /// the TCP socket. It needs a connection without TLS or HTTP/2; on others the framework frames.
    /// </summary>
    public SocketFraming Framing { get; set; } = SocketFraming.Own;

    /// <summary>
    /// The server sends a WebSocket ping this often. Far below the 100 s after which the gateway closes a silent socket. Default 15 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:30")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A ping that is not answered within this time ends the connection. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan HeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a closing connection may take: what is queued, the close frames of both sides. Then it is cut. Default 5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Read cursors of a connection are written this often, the last of a conversation wins. Default 200 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan CursorInterval { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Signals that a connection may send per second; more are answered <c>rate_limited</c>. They also count as signals of the user
    /// (<c>Budgets:SignalsPerSecond</c>). Default 10.
    /// </summary>
    [Range(0.1, 1_000_000)]
    public double SignalsPerSecond { get; set; } = 10;

    /// <summary>Signals that a connection may send at once after a pause. Default 10.</summary>
    [Range(1, 1_000_000)]
    public int SignalBurst { get; set; } = 10;

    /// <summary>
    /// Refused frames (bad, too large, over a limit) that a connection may send at once before it is closed as flooding (4009): twice
    /// what an honest client with a bug and a full burst produces. Default 400.
    /// </summary>
    [Range(1, 1_000_000)]
    public int RefusedBurst { get; set; } = 400;

    /// <summary>Refused frames per second that never close a connection. Default 20.</summary>
    [Range(0.1, 1_000_000)]
    public double RefusedPerSecond { get; set; } = 20;

    /// <summary>Frames of any kind that a connection may send per second; more are read more slowly. Default 200.</summary>
    [Range(1, 1_000_000)]
    public double FramesPerSecond { get; set; } = 200;

    /// <summary>Frames that a connection may send at once after a pause. Default 1,000.</summary>
    [Range(1, 1_000_000)]
    public int FrameBurst { get; set; } = 1_000;

    /// <summary>Bytes that a frame may have for the price of one; a longer one counts as several. Default 2 KiB.</summary>
    [Range(64, 1024 * 1024)]
    public int BytesPerFrame { get; set; } = 2 * 1024;

    /// <summary>
    /// On shutdown, the connections are closed one by one over this time, or at 100 a second where that takes less. Default 10 s; with
    /// <see cref="CloseTimeout"/> it must fit into the host's shutdown timeout of 30 s, and that into what the deployment grants.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:25")]
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A client that is sent away is told to come back after a random time up to this, so that its next node does not get all of them at once.
    /// Default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ReconnectSpread { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A message of more bytes than this closes the socket.</summary>
    internal long FarTooLargeBytes => (long)FrameBytes * FarTooLargeFactor;

    internal OutboundLimits Outbound => new(OutboundBytes, CloseTimeout);

    internal FrameLimits Frames => new() { Content = Content, Conversations = ResumedConversations };

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OutboundBytes < 2 * FrameBytes)
        {
            yield return new("must hold at least two frames.", [nameof(OutboundBytes)]);
        }

        if (DrainTime + CloseTimeout > TimeSpan.FromSeconds(30))
        {
            yield return new("and CloseTimeout must fit into 30 s together.", [nameof(DrainTime)]);
        }
    }
}

/// <summary>Whose code frames a socket's messages.</summary>
public enum SocketFraming
{
    /// <summary>This service.</summary>
    Own,

    /// <summary>The framework's WebSocket: slower, and works on every kind of connection.</summary>
    Framework,
}
