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
    /// Most events that one request reads of the tail: 1,000–200,000, 20,000 by default. It matters only while PostgreSQL is that far
    /// behind in one conversation: an uncommitted edit or delete that lies further below the head does not show on its message until it is
    /// committed.
    /// </summary>
    [Range(1_000, 200_000)]
    public int TailLimit { get; set; } = 20_000;

    /// <summary>
    /// How long a request waits for PostgreSQL before it tries the tail alone: 100 ms–30 s, 3 s by default. A server that is down refuses
    /// at once; one that hangs does not answer.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan DatabaseTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a client is told to wait when history cannot be served: 1–60 s, 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}
