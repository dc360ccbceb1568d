namespace AspireChat.Chaos.Faults;

internal enum FaultKind
{
    /// <summary>kill -9; the host starts the process again.</summary>
    Kill,

    /// <summary>SIGSTOP for a while: connections stay open, and the process does not answer.</summary>
    Pause,

    /// <summary><c>CLIENT KILL TYPE pubsub</c>: publications are lost until the subscribers are back.</summary>
    PubSub,

    /// <summary>Every byte of a link arrives late.</summary>
    Delay,

    /// <summary>All connections of a link are reset, and new ones are refused for a while.</summary>
    Cut,

    /// <summary>The connections of a link stay open but carry nothing any more. New ones work.</summary>
    HalfOpen,

    /// <summary>A link carries a few bytes at a time.</summary>
    Slice,

    /// <summary><c>FLUSHALL</c> under traffic.</summary>
    Wipe,
}

/// <summary>One fault of a schedule.</summary>
/// <param name="Target">A replica (<c>connection-0</c>), a server (<c>redis</c>), or the far end of a link.</param>
/// <param name="Pause">How long the run waits after the previous fault has healed.</param>
/// <param name="Length">How long the fault lasts, for kinds that last.</param>
internal sealed record PlannedFault(int Number, FaultKind Kind, string Target, TimeSpan Pause, TimeSpan Length)
{
    /// <summary>Faults with the same name are counted and timed together.</summary>
    public string Name => Kind switch
    {
        FaultKind.PubSub => "pubsub killed",
        FaultKind.Wipe => "redis wiped",
        _ => $"{Kind.ToString().ToLowerInvariant()} {(Target.StartsWith("connection", StringComparison.Ordinal) ? "connection" : Target)}",
    };
}
