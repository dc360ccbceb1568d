namespace AspireChat.Chaos.Hostile;

/// <summary>What the others may notice of an attack at most.</summary>
internal sealed record HostileBounds
{
    /// <summary>Of each of the bystanders' three times: 99 of 100 stay below. Milliseconds.</summary>
    public double Latency { get; init; } = 250;

    /// <summary>By which the resident memory of any process may grow. MB.</summary>
    public double Growth { get; init; } = 150;

    /// <summary>What may be left of it in the end. MB.</summary>
    public double Left { get; init; } = 50;

    /// <summary>When that must be reached. Seconds.</summary>
    public double Settle { get; init; } = 60;

    /// <summary>Redis' longest call. Milliseconds.</summary>
    public double Redis { get; init; } = 10;

    /// <summary>A health check that takes longer has failed. Seconds; 2 is what the gateway grants.</summary>
    public double Health { get; init; } = 2;

    /// <summary>Bystanders' requests and connections that fail.</summary>
    public int Errors { get; init; }
}
