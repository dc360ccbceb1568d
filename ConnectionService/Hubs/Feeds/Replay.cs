using System.Diagnostics;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Feeds;

internal enum ReplayState
{
    /// <summary>Something can be sent, or was just asked for.</summary>
    Ready,

    /// <summary>Waits for a read of the log.</summary>
    WaitsForLog,

    /// <summary>The read under way is for this replay too.</summary>
    Asked,

    /// <summary>Waits for space in the connection's queue.</summary>
    WaitsForSpace,

    /// <summary>Waits until the user's replay budget has recovered.</summary>
    WaitsForBudget,

    Ended,
}

/// <summary>
/// One connection on its way from an older place in a conversation to the present: first the events it missed, then <c>resumed</c>, then
/// (in a room) what went by meanwhile. It holds no events: what a connection has no space for is read again. Belongs to one hub.
/// </summary>
/// <param name="position">The last seq that the client has.</param>
/// <param name="events">Events that may be replayed before the replay ends early.</param>
/// <param name="reference">The client's <c>ref</c>.</param>
internal sealed class Replay(Connection connection, long position, int events, RawJson? reference)
{
    public const long Unknown = -1;

    private int _eventsLeft = events;

    public Connection Connection { get; } = connection;

    public RawJson? Ref { get; } = reference;

    public ReplayState State { get; set; }

    /// <summary>The last seq sent.</summary>
    public long Position { get; private set; } = position;

    /// <summary>The last seq that belongs to the replay: the head when it was asked for.</summary>
    public long Until { get; set; } = Unknown;

    /// <summary>The epoch that the client knows; null: it did not say.</summary>
    public string? ClientEpoch { get; init; }

    /// <summary>The epoch that the replay is in; null until the log has told.</summary>
    public string? Epoch { get; set; }

    /// <summary><c>resumed</c> is sent; what follows is live traffic that was not live enough.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>The receiver gets live events only through this replay until it has caught up (rooms).</summary>
    public bool LeadsToLive { get; init; }

    /// <summary>Reads of the log that failed in a row.</summary>
    public int Failures { get; set; }

    /// <summary>The time, on the hub's clock, from which the budget allows more; with <see cref="ReplayState.WaitsForBudget"/>.</summary>
    public long NotBefore { get; set; }

    /// <summary>Called by the connection's queue when it has space again. Made once.</summary>
    public Action? OnSpace { get; set; }

    /// <summary>Everything that may be replayed is sent, and <c>resumed</c> is due.</summary>
    public bool IsComplete => Until != Unknown && !IsAnnounced && (Position >= Until || _eventsLeft == 0);

    /// <summary>
    /// The next event, if it is at hand. The ring counts only when it has come as far as the replay goes: before that, a deletion that
    /// this client may know of could be missing from it.
    /// </summary>
    /// <param name="last">How far the ring has come.</param>
    /// <param name="page">What was just read from the log, without a hole; empty: nothing.</param>
    public EncodedEvent? Next(EventRing ring, long last, IReadOnlyList<EncodedEvent> page)
    {
        if (Until == Unknown)
        {
            return null;
        }
        var next = Position + 1;
        if (last >= Until && ring.Find(next) is { } recent)
        {
            return recent;
        }
        return page.Count == 0 || next < page[0].Seq || next > page[^1].Seq ? null : page[(int)(next - page[0].Seq)];
    }

    /// <summary>The next event was sent.</summary>
    public void Advance(long seq)
    {
        Debug.Assert(seq == Position + 1, "a replay has no hole");
        Position = seq;
        if (!IsAnnounced)
        {
            _eventsLeft--;
        }
    }

    /// <summary>What lies before <paramref name="seq"/> is not sent: the client was told so.</summary>
    public void MoveTo(long seq) => Position = seq;
}

internal static class ResumedFrames
{
    /// <summary>A <c>resumed</c> as the receiver of the feed sees it.</summary>
    public static OutboundFrame Of(FeedId feed, long seq, long head, bool complete, string epoch, RawJson? reference) => OutboundFrame.Of(
        feed.User is null
            ? new ResumedFrame(feed.Key.RoomId, null, seq, head, complete, epoch, reference)
            : new ResumedFrame(null, feed.Key.Other(feed.User), seq, head, complete, epoch, reference));
}
