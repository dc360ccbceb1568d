using System.ComponentModel.DataAnnotations;

namespace AspireChat.PersistenceService;

/// <summary>Configuration section <c>Persistence</c>: how the log is carried into PostgreSQL.</summary>
internal sealed class PersistenceOptions
{
    public const string Section = "Persistence";

    /// <summary>
    /// About how many records of the log go into one transaction: 1–20,000, 2,000 by default. Larger batches gain little and make a
    /// bisected one slower.
    /// </summary>
    [Range(1, 20_000)]
    public int BatchSize { get; set; } = 2_000;

    /// <summary>
    /// Most transactions that this replica has under way at a time: 1–16, 4 by default. It begins a second one only when there is much to
    /// write; partitions that wait share the next one. Each takes a connection of the pool.
    /// </summary>
    [Range(1, 16)]
    public int Writers { get; set; } = 4;

    /// <summary>
    /// How long a record may wait for others before it is read, once batches are many: 0–1 s, 100 ms by default. It delays <c>durable</c>,
    /// but no acknowledgement.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a lease of a partition lasts: 1–60 s, 5 s by default; its owner renews it five times within that time. After a crash
    /// another replica goes on that much later.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often owned partitions are checked: for entries whose bell was lost (it is pub/sub), and for a lost or restored Redis: 50 ms–10 s,
    /// 1 s by default. While nothing changes, PostgreSQL is asked at each fifth look.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:00:10")]
    public TimeSpan InspectInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a batch in hand may take to finish when the service stops: 0–60 s, 10 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan StopLimit { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long the tail of a conversation stays in Redis after its last event was committed: 1 minute–30 days, 1 hour by default. After
    /// that resuming clients are served from PostgreSQL. What stays in Redis of such a conversation are its place and its members.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan TailIdle { get; set; } = TimeSpan.FromHours(1);
}
