using System.ComponentModel.DataAnnotations;

namespace AspireChat.ConnectionService.Log;

/// <summary>How events are appended to the log. Section <c>Log</c>.</summary>
public sealed class ConversationLogOptions
{
    public const string Section = "Log";

    /// <summary>Events that wait for one partition's publisher; beyond it a send is answered <c>unavailable</c>. Default 8,192.</summary>
    [Range(1, 1_000_000)]
    public int QueueLength { get; set; } = 8_192;

    /// <summary>
    /// Most events in one script call. Redis serves nobody else while a script runs: 256 events take it one to two milliseconds. At most
    /// 2,000, because Lua passes no more than 8,000 arguments to a command. Default 256.
    /// </summary>
    [Range(1, 2_000)]
    public int BatchEvents { get; set; } = 256;

    /// <summary>Most bytes of records in one script call; a single larger record still goes alone. Default 512 KiB.</summary>
    [Range(1_024, 64 * 1024 * 1024)]
    public int BatchBytes { get; set; } = 512 * 1024;

    /// <summary>
    /// How long an event is tried again while Redis is away before it is answered <c>unavailable</c>. Trying again is safe, the nonce
    /// makes a repeat harmless; a short blip then costs a delay instead of an error. Default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>What clients are told to wait after <c>unavailable</c>. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary><see cref="RetryAfter"/> as frames say it.</summary>
    internal int RetryAfterMilliseconds => (int)RetryAfter.TotalMilliseconds;

    /// <summary>Committed events that a conversation's tail keeps for resuming clients; what is not committed is always kept. Default 1,000.</summary>
    [Range(1, 100_000)]
    public int TailKeep { get; set; } = 1_000;
}
