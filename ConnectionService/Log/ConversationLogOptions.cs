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

    /// <summary>
    /// Most bytes of records in one script call, and one record more: 256 KiB, the default, take Redis about three milliseconds.
    /// </summary>
    [Range(1_024, 64 * 1024 * 1024)]
    public int BatchBytes { get; set; } = 256 * 1024;

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

    /// <summary>
    /// Bytes of committed events that a conversation's tail keeps, whatever <see cref="TailKeep"/> says; between half and all of it.
    /// What a resuming client wants beyond comes from PostgreSQL. Default 512 KiB: a thousand messages of usual length.
    /// </summary>
    [Range(16 * 1_024, 64 * 1_024 * 1_024)]
    public int TailBytes { get; set; } = 512 * 1_024;

    /// <summary>
    /// Edits that a message takes; a further one is answered <c>limit</c>. A delete takes the content out of all of them in one step of
    /// Redis: 100, the default, cost it one to five milliseconds, as the edits are long.
    /// </summary>
    [Range(1, 1_000)]
    public int EditsPerMessage { get; set; } = 100;

    /// <summary>
    /// Different emojis that a message takes, those taken back included; a reaction with a further one is answered <c>limit</c>. All of
    /// them stand on the message in every page of history. Default 50.
    /// </summary>
    [Range(1, 1_000)]
    public int EmojisPerMessage { get; set; } = 50;

    /// <summary>
    /// How often one user may set or take back reactions to one message; after that <c>limit</c>. Each is an event that the message's
    /// reactions are counted from. Default 100.
    /// </summary>
    [Range(1, 1_000_000)]
    public int ReactionChangesPerMessage { get; set; } = 100;

    /// <summary>
    /// Rooms that one user may be a member of: a further join is answered <c>limit</c>. Each costs about 200 bytes of Redis for as long as
    /// it lasts, and a moment of every connect. Default 1,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int RoomsPerUser { get; set; } = 1_000;

    /// <summary>
    /// Rooms that one user may create in an hour by joining what nobody joined and nothing was written to: a further one is answered
    /// <c>limit</c>. A room leaves a row in PostgreSQL for ever, even when it is left at once, so memberships alone bound nothing. A person
    /// does not reach 100, the default; a program that creates rooms for others needs more.
    /// </summary>
    [Range(1, 1_000_000)]
    public int RoomsCreatedPerHour { get; set; } = 100;

    /// <summary>
    /// Members that a room may have: one more is answered <c>limit</c>. Each costs about 100 bytes of Redis and a row in PostgreSQL. Default 100,000.
    /// </summary>
    [Range(1, 10_000_000)]
    public int MembersPerRoom { get; set; } = 100_000;

    /// <summary>
    /// Direct conversations that one user may begin in an hour: a message to a user who was never written to, nor wrote, beyond it is answered
    /// <c>limit</c> with <c>retryAfter</c>. Each leaves a row for both users for ever, and the other did not ask for it. A program that writes to
    /// many users needs more. Default 200.
    /// </summary>
    [Range(1, 1_000_000)]
    public int DirectsBegunPerHour { get; set; } = 200;

    /// <summary>
    /// Bytes that one user may write in a day: content, and 200 for the rest of each event. Beyond it all but deletions are answered <c>limit</c>
    /// with <c>retryAfter</c>. Each node reports what it took in steps of 256 KiB, so each may take up to two steps more. Default 512 MiB: a user who
    /// sends short messages as fast as <c>Sockets:EventsPerSecond</c> allows does not reach it, one who sends long ones does in 20 minutes.
    /// </summary>
    [Range(1_024, 1L << 50)]
    public long BytesPerDay { get; set; } = 512 * 1024 * 1024;
}
