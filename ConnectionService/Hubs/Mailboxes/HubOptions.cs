using System.ComponentModel.DataAnnotations;

namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>How hubs hold conversations. Section <c>Hubs</c>.</summary>
public sealed class HubOptions
{
    public const string Section = "Hubs";

    /// <summary>Hubs of the process; 0: one per core. More than the number of log partitions (16) would stay empty. Default 0.</summary>
    [Range(0, 16)]
    public int Count { get; set; }

    /// <summary>
    /// Bytes of pub/sub messages that wait for one hub; beyond it a message is dropped and its conversation re-read. Default 32 MiB.
    /// </summary>
    [Range(64 * 1024, 1024 * 1024 * 1024)]
    public long MailboxBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>Recent events kept per conversation for clients that come back. Default 256.</summary>
    [Range(1, 10_000)]
    public int RingEvents { get; set; } = 256;

    /// <summary>Most bytes of these events. Default 256 KiB.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int RingBytes { get; set; } = 256 * 1024;

    /// <summary>Most events of one replay. A client that missed more gets <c>complete:false</c>. Default 1,000.</summary>
    [Range(1, 10_000)]
    public int ReplayEvents { get; set; } = 1_000;

    /// <summary>
    /// Events in one read of the log for a replay. Between reads a replay waits until its connection has space. Default 128.
    /// </summary>
    [Range(1, 1_000)]
    public int ReplayPageEvents { get; set; } = 128;

    /// <summary>Reads of the log for replays that run at once on this node; the others wait their turn. Default 8.</summary>
    [Range(1, 1_000)]
    public int ReplayReads { get; set; } = 8;

    /// <summary>
    /// Joins that this node asks the log for at once; the others wait, and users take turns. A join of a new room costs all services together 3 ms of
    /// processor time, which messages would wait for. Default 64.
    /// </summary>
    [Range(1, 10_000)]
    public int Joins { get; set; } = 64;

    /// <summary>Events that arrived ahead of a gap and wait for its repair; beyond it they are read again. Default 512.</summary>
    [Range(1, 10_000)]
    public int AheadEvents { get; set; } = 512;

    /// <summary>
    /// Direct conversations that are followed per user. The one that was used least recently makes room for a new one; a replay in it ends
    /// with <c>complete:false</c>. Default 256.
    /// </summary>
    [Range(1, 10_000)]
    public int DirectConversations { get; set; } = 256;

    /// <summary>
    /// The hub's clock: repairs and head checks are looked at this often while any are under way. At rest it ticks once per
    /// <see cref="HeadCheck"/>, and once a second when nobody is connected. Default 100 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:01")]
    public TimeSpan Tick { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long an event known to exist may be under way by pub/sub before it is read from the log instead. Shorter reads more often
    /// under load, longer heals later. Default 150 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan Overdue { get; set; } = TimeSpan.FromMilliseconds(150);

    /// <summary>
    /// How often it is looked for followed conversations of which something was lost: those whose partition moved and that nothing was heard
    /// of. Their heads are compared with the log, which finds a lost last event. Default 500 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan HeadCheck { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Heads in one check; one check of a hub is under way at a time and at most one starts per tick, which bounds its cost whatever the
    /// number of conversations (they are then checked less often). Default 500.
    /// </summary>
    [Range(1, 10_000)]
    public int HeadCheckBatch { get; set; } = 500;

    /// <summary>
    /// How long a room without local members stays subscribed, so that a reconnect storm finds its recent events. Default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Read cursors of a room are passed on to its members this often, last one wins. Default 200 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan CursorInterval { get; set; } = TimeSpan.FromMilliseconds(200);
}
