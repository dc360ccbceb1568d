namespace AspireChat.Chaos.Faults;

internal enum FaultKind
{
    /// <summary>kill -9; the host starts the process again.</summary>
    Kill,

    /// <summary>SIGSTOP for a while: connections stay open and nothing answers.</summary>
    Pause,

    /// <summary><c>CLIENT KILL TYPE pubsub</c>: what is published until the subscribers are back is gone.</summary>
    PubSub,

    /// <summary>Every byte of a link comes late.</summary>
    Delay,

    /// <summary>All connections of a link are reset, and new ones refused for a while.</summary>
    Cut,

    /// <summary>The connections of a link stay open and carry nothing any more; new ones work.</summary>
    HalfOpen,

    /// <summary>A link carries a few bytes at a time.</summary>
    Slice,

    /// <summary><c>FLUSHALL</c> under traffic.</summary>
    Wipe,
}

/// <summary>One fault of a schedule.</summary>
/// <param name="Target">A replica (<c>connection-0</c>), a server (<c>redis</c>), or for the faults of a link its far end.</param>
/// <param name="Pause">How long after the fault before it has healed.</param>
/// <param name="Length">How long it lasts, where it has a length.</param>
internal sealed record PlannedFault(int Number, FaultKind Kind, string Target, TimeSpan Pause, TimeSpan Length)
{
    /// <summary>What is counted and timed together.</summary>
    public string Name => Kind switch
    {
        FaultKind.PubSub => "pubsub killed",
        FaultKind.Wipe => "redis wiped",
        _ => $"{Kind.ToString().ToLowerInvariant()} {(Target.StartsWith("connection", StringComparison.Ordinal) ? "connection" : Target)}",
    };
}
