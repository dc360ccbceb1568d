namespace AspireChat.ConnectionService.Hubs.Mailboxes;

/// <summary>A part of a hub that waits for time to pass.</summary>
internal interface ITimed
{
    /// <summary>Looks at the hub's clock. False: nothing has to be waited for any more.</summary>
    bool OnTick();
}

/// <summary>What all parts of one hub share. Belongs to the hub's loop.</summary>
/// <param name="retryAfter">Milliseconds that a client is told to wait after <c>unavailable</c>.</param>
internal sealed class HubContext(HubOptions options, int retryAfter, IHubEffects effects, HubMetrics metrics, ILogger logger)
{
    private long _token;

    public HubOptions Options { get; } = options;

    public int RetryAfterMilliseconds { get; } = retryAfter;

    public IHubEffects Effects { get; } = effects;

    public HubMetrics Metrics { get; } = metrics;

    public ILogger Logger { get; } = logger;

    /// <summary>Monotonic milliseconds, as of the last tick.</summary>
    public long Now { get; set; }

    /// <summary>Unix milliseconds, as of the last tick.</summary>
    public long UnixNow { get; set; }

    /// <summary>What waits for time to pass. Everything else costs nothing per tick.</summary>
    public HashSet<ITimed> Attention { get; } = [];

    public PartitionTraffic Traffic { get; } = new();

    /// <summary>Marks a question, so that an answer to an older one is recognised. Never 0.</summary>
    public long NextToken() => ++_token;
}
