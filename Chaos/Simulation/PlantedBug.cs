namespace AspireChat.Chaos.Simulation;

/// <summary>Faults of a chat server that a check of deliveries must notice.</summary>
internal enum PlantedBug
{
    None,

    /// <summary>A repeated nonce becomes a second event.</summary>
    NoDedup,

    /// <summary>The sender is answered before the event is in the log.</summary>
    AckBeforeAppend,

    /// <summary>A node that missed a message of pub/sub goes on with the next one.</summary>
    NoGapRepair,

    /// <summary>The log is trimmed up to what the writer has read, not up to what it has committed.</summary>
    TrimTooEarly,

    /// <summary>The writer acknowledges log entries before it commits them.</summary>
    AckBeforeCommit,

    /// <summary>After a wipe the log goes on under the old epoch, so nobody is told.</summary>
    SameEpochAfterWipe,
}
