using System.ComponentModel.DataAnnotations;

namespace AspireChat.PersistenceService.History;

/// <summary>Configuration section <c>History</c>: how much one request reads and answers.</summary>
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
    /// Most bytes that one request reads of the tail: 64 KiB–256 MiB, 4 MiB by default. Beyond it the same holds as beyond
    /// <see cref="TailLimit"/>.
    /// </summary>
    [Range(64 * 1_024, 256 * 1_024 * 1_024)]
    public int TailBytes { get; set; } = 4 * 1_024 * 1_024;

    /// <summary>
    /// Most characters of content in one page: 8,192–64 Mi, 512 Ki by default. A page that has as many ends early, with a <c>next</c>; it
    /// has one item at least.
    /// </summary>
    [Range(8_192, 64 * 1_024 * 1_024)]
    public int PageCharacters { get; set; } = 512 * 1_024;

    /// <summary>Most characters of content in one replay for a node, which asks again for more: 8,192–64 Mi, 1 Mi by default.</summary>
    [Range(8_192, 64 * 1_024 * 1_024)]
    public int ReplayCharacters { get; set; } = 1_024 * 1_024;

    /// <summary>
    /// Users listed for each emoji on a message; <c>count</c> is exact all the same: 1–10,000, 100 by default.
    /// </summary>
    [Range(1, 10_000)]
    public int ReactionUsers { get; set; } = 100;

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
