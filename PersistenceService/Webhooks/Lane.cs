namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// What keeps one order of telling: a conversation, presence, or one dead letter that is sent again. It has one call under way at most.
/// <see cref="Lanes"/> guards it.
/// </summary>
internal sealed class Lane(string name, short partition, Guid? replay)
{
    public string Name => name;

    public short Partition => partition;

    /// <summary>The dead letter; null for all others.</summary>
    public Guid? Replay => replay;

    public LaneState State { get; set; }

    /// <summary>Something came while the lane was busy.</summary>
    public bool Again { get; set; }

    /// <summary>It has a batch that was tried before, by this replica or another.</summary>
    public bool Repeats { get; set; } = replay is not null;

    /// <summary>The partition went to another replica.</summary>
    public bool Gone { get; set; }
}

internal enum LaneState
{
    Ready,
    Busy,

    /// <summary>Waits for its next attempt.</summary>
    Held,
}
