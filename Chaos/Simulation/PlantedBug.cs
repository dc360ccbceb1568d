namespace AspireChat.Chaos.Simulation;

/// <summary>Bugs of a chat server that the check of deliveries must notice.</summary>
internal enum PlantedBug
{
    None,

    /// <summary>A repeated nonce becomes a second event.</summary>
    NoDedup,

    /// <summary>The sender is answered before the event is in the log.</summary>
    AckBeforeAppend,

    /// <summary>A node that missed a publication goes on with the next one.</summary>
    NoGapRepair,

    /// <summary>The log is trimmed up to what the writer has read, not up to what it has committed.</summary>
    TrimTooEarly,

    /// <summary>The writer acknowledges log entries before it commits them.</summary>
    AckBeforeCommit,

    /// <summary>After a wipe the log goes on under the old epoch, so no reader is told.</summary>
    SameEpochAfterWipe,
}
