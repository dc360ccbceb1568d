using System.ComponentModel.DataAnnotations;

namespace AspireChat.PersistenceService.History;

/// <summary>Configuration section <c>History</c>: how much of a conversation's tail in Redis one request reads.</summary>
internal sealed class HistoryOptions
{
    public const string Section = "History";

    /// <summary>
    /// A page that begins at most this many events below the head is served from the tail alone, if the tail reaches that far: 0–10,000,
    /// 300 by default. Further back PostgreSQL is cheaper than reading the tail up to there.
    /// </summary>
    [Range(0, 10_000)]
    public int NearHead { get; set; } = 300;

    /// <summary>
    /// Most events that one request reads of the tail: 1,000–200,000, 20,000 by default. Only while PostgreSQL is that far behind in one
    /// conversation does it matter: then edits and deletes older than the newest so many do not show on earlier messages until they are
    /// committed.
    /// </summary>
    [Range(1_000, 200_000)]
    public int TailLimit { get; set; } = 20_000;

    /// <summary>
    /// How long PostgreSQL is waited for before the tail alone is tried: 100 ms–30 s, 3 s by default. A server that is gone answers at
    /// once; one that hangs does not.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>What a client is told to wait when history cannot be served: 1–60 s, 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}
