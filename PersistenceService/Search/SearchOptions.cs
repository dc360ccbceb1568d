using System.ComponentModel.DataAnnotations;

namespace AspireChat.PersistenceService.Search;

/// <summary>Configuration section <c>Search</c>: how messages are found, and how their words get into the index.</summary>
internal sealed class SearchOptions
{
    public const string Section = "Search";

    /// <summary>
    /// How long PostgreSQL may work on one search: 0.1–30 s, 2 s by default. A search that takes longer is answered 503 <c>unavailable</c>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The newest messages that a search looks through one by one, before it asks the index of words: 100–100,000, 5,000 by default. What many
    /// messages say is found among them; of a rarer word the index has few enough.
    /// </summary>
    [Range(100, 100_000)]
    public int Newest { get; set; } = 5_000;

    /// <summary>
    /// Matches of the index that a search over all conversations looks at: 1,000–1,000,000, 20,000 by default. Where the caller may not read so
    /// many of them, the page is short and has a <c>next</c>.
    /// </summary>
    [Range(1_000, 1_000_000)]
    public int Matches { get; set; } = 20_000;

    /// <summary>How long committed messages wait to be indexed together: 10 ms–10 s, 250 ms by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:00:10")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The share of time that indexing takes while this process commits more than <see cref="BusyAbove"/> events a second: 0.01–1, 0.05 by default.
    /// The index falls behind meanwhile, and catches up afterwards.
    /// </summary>
    [Range(0.01, 1)]
    public double BusyShare { get; set; } = 0.05;

    /// <summary>Events a second: 1–10,000,000, 20,000 by default. Up to there the index keeps up, and takes half a core.</summary>
    [Range(1, 10_000_000)]
    public double BusyAbove { get; set; } = 20_000;

    /// <summary>What a client is told to wait after a search that took too long: 1–60 s, 2 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(2);
}
