namespace AspireChat.ConnectionService.Hubs;

/// <summary>What all parts of one hub share. Belongs to the hub's loop.</summary>
internal sealed class HubContext(HubOptions options, IHubEffects effects, HubMetrics metrics, ILogger logger)
{
    private long _token;

    public HubOptions Options { get; } = options;

    public IHubEffects Effects { get; } = effects;

    public HubMetrics Metrics { get; } = metrics;

    public ILogger Logger { get; } = logger;

    /// <summary>Monotonic milliseconds, as of the last tick.</summary>
    public long Now { get; set; }

    /// <summary>Unix milliseconds, as of the last tick.</summary>
    public long UnixNow { get; set; }

    /// <summary>Feeds that wait for time to pass. All others cost nothing per tick.</summary>
    public HashSet<Feed> Attention { get; } = [];

    /// <summary>Marks a question, so that an answer to an older one is recognised.</summary>
    public long NextToken() => ++_token;
}
