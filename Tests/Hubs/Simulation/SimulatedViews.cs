namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>Where a client stands with a room.</summary>
internal enum RoomState
{
    Out,
    Joining,
    Replaying,
    Live,
    Leaving,
}

/// <summary>A room as one client sees it.</summary>
internal sealed class RoomView
{
    public RoomState State { get; set; }

    /// <summary>To be joined again after a reconnect.</summary>
    public bool Wanted { get; set; }

    public bool Rejoining { get; set; }

    /// <summary>Left by another device while an own leave is under way.</summary>
    public bool Gone { get; set; }

    public long? Since { get; set; }

    public long HeadWhenAsked { get; set; }

    public string EpochWhenAsked { get; set; } = "";

    public long SnapshotHead { get; set; }

    public string Epoch { get; set; } = "";

    /// <summary>The epoch that came with <c>since</c>.</summary>
    public string KnownEpoch { get; set; } = "";

    /// <summary>The only seq that may come next.</summary>
    public long Next { get; set; } = 1;
}

/// <summary>A direct conversation as one client sees it.</summary>
internal sealed class DirectView
{
    public HashSet<(string? Epoch, long Seq)> Seen { get; } = [];

    /// <summary>The epoch of the cursor.</summary>
    public string? Epoch { get; set; }

    /// <summary>The epoch of what comes over this connection.</summary>
    public string? LiveEpoch { get; set; }

    public bool Resuming { get; set; }

    public bool Resumed { get; set; }

    public long Since { get; set; }

    /// <summary>
    /// Where live traffic and replay may be. An event that came may have been either, so there can be several; none would be a broken
    /// promise.
    /// </summary>
    public HashSet<(long? Live, long Replay)> Places { get; set; } = [(null, 0)];

    /// <summary>Everything up to here was seen, in the cursor's epoch.</summary>
    public long Contiguous
    {
        get
        {
            var seq = 0L;
            while (Seen.Contains((Epoch, seq + 1)))
            {
                seq++;
            }

            return seq;
        }
    }
}
