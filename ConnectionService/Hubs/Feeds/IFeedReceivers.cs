using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>The local connections that a feed delivers to. Belongs to the feed's hub.</summary>
internal interface IFeedReceivers
{
    /// <summary>False: there are no connections, so nothing needs to be read for them.</summary>
    bool Any { get; }

    /// <summary>Hands the next event in order to the connections that are live.</summary>
    void Deliver(EncodedEvent e);

    /// <summary>
    /// The log is another one now, and the feed is at its head. The connections must reload. Replays that are not answered yet are answered by
    /// <see cref="ReplayQueue.Abort"/>.
    /// </summary>
    void EpochChanged();

    /// <summary>The log no longer holds what is behind <paramref name="from"/>; the feed goes on at the head.</summary>
    void HoleFound(long from);

    /// <summary>A replay has ended: its connection is live from <see cref="Replay.Position"/> on.</summary>
    void CaughtUp(Replay replay);

    /// <summary>A replay has read the head of a conversation in which the feed has no place yet.</summary>
    void HeadRead(string epoch, long head);

    /// <summary>The frame that tells a sender that everything up to <paramref name="seq"/> is in PostgreSQL.</summary>
    OutboundFrame Durable(long seq);
}
