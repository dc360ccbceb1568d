using AspireChat.Contracts.Frames;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// One connection on its way from an older place in a conversation to the present: first the events it missed, then <c>resumed</c>, then
/// (in a room) what went by meanwhile. Belongs to one hub.
/// </summary>
internal sealed class Replay(Connection connection, long position, int budget, RawJson? reference)
{
    public const long Unknown = -1;

    public Connection Connection { get; } = connection;

    public RawJson? Ref { get; } = reference;

    /// <summary>The last seq sent.</summary>
    public long Position { get; set; } = position;

    /// <summary>The last seq that belongs to the replay: the head when it was asked for.</summary>
    public long Until { get; set; } = Unknown;

    /// <summary>The epoch that the client knows; null: it did not say.</summary>
    public string? ClientEpoch { get; init; }

    /// <summary>The epoch that the replay is in; null until the log has told.</summary>
    public string? Epoch { get; set; }

    /// <summary>Events that may still be replayed before it ends early.</summary>
    public int Budget { get; set; } = budget;

    /// <summary><c>resumed</c> is sent; what follows is live traffic that was not live enough.</summary>
    public bool Announced { get; set; }

    /// <summary>The receiver gets live events only through this replay until it has caught up (rooms).</summary>
    public bool LeadsToLive { get; init; }

    /// <summary>Events read from the log, shared with others who asked for them.</summary>
    public IReadOnlyList<EncodedEvent> Slice { get; set; } = [];

    /// <summary>Waits for the log, not for room in its connection's queue.</summary>
    public bool NeedsLog { get; set; }

    public int Failures { get; set; }

    /// <summary>
    /// The next event, if it is at hand. The ring counts only when it has come as far as the replay goes: before that, a deletion that
    /// this client may know of could be missing from it.
    /// </summary>
    public EncodedEvent? Next(EventRing ring, long last)
    {
        var next = Position + 1;
        if (last >= Until && ring.Find(next) is { } recent)
        {
            return recent;
        }

        if (Slice.Count == 0 || next < Slice[0].Seq || next > Slice[^1].Seq)
        {
            return null;
        }

        return Slice[(int)(next - Slice[0].Seq)];
    }
}
