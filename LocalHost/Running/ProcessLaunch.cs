namespace AspireChat.LocalHost.Running;

/// <summary>How to start one process, and how to end it.</summary>
internal sealed record ProcessLaunch(string Command, IReadOnlyList<string> Arguments, string WorkingDirectory)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The user to run as, when not this one.</summary>
    public string? User { get; init; }

    /// <summary>Asks the process to stop.</summary>
    public int StopSignal { get; init; } = Signals.Terminate;

    /// <summary>What the kernel sends the process when the host is gone without having stopped it.</summary>
    public string DeathSignal { get; init; } = "KILL";
}
