using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Users;

/// <summary>
/// A direct conversation as one local user follows it: from the first event seen (or the first resume) on, events reach all of the user's
/// connections in order. Belongs to the user's hub.
/// </summary>
internal sealed class DirectConversation : IFeedReceivers, ITimed
{
    private readonly HubContext _hub;
    private readonly string _user;
    private readonly IReadOnlyList<Connection> _connections;

    /// <summary>Connections that a replay has taken further than the feed itself has come: they have these events already.</summary>
    private readonly Dictionary<Connection, long> _aheadOf = [];

    /// <summary>The lowest head that a resumed connection has come to while the feed itself had no place yet.</summary>
    private (string Epoch, long Head)? _floor;

    private long _floorAt;

    /// <param name="connections">The user's; the list changes while they come and go.</param>
    public DirectConversation(ConversationKey key, string user, IReadOnlyList<Connection> connections, HubContext hub)
    {
        _hub = hub;
        _user = user;
        _connections = connections;
        Feed = new Feed(new FeedId(key, user), this, hub);
    }

    public Feed Feed { get; }

    public bool Any => _connections.Count > 0;

    public void ReceiveLive(EncodedEvent e)
    {
        // Nothing says what came before the first event that is seen. A connection that needs it resumes, and has then come to the floor.
        if (!Feed.IsPositioned && _floor is { } floor)
        {
            Feed.Locate(floor.Epoch, floor.Epoch == e.Epoch ? Math.Min(floor.Head, e.Seq - 1) : floor.Head);
        }
        else if (!Feed.IsPositioned)
        {
            Feed.Locate(e.Epoch, e.Seq - 1);
        }

        Feed.Receive(e);
    }

    public void Resume(Connection connection, long since, string? epoch, RawJson? reference) =>
        Feed.Replays.Start(new Replay(connection, since, _hub.Options.ReplayEvents, reference) { ClientEpoch = epoch });

    public void Remove(Connection connection)
    {
        Feed.Remove(connection);
        _aheadOf.Remove(connection);
    }

    /// <summary>The hub forgets the conversation. Replays end, and their clients fetch the rest over HTTP.</summary>
    public void Retire()
    {
        Feed.Replays.CutAll();
        Feed.IsRetired = true;
    }

    public void OwnEventAccepted(Connection connection, string epoch, long seq)
    {
        if (!Feed.IsPositioned || Feed.Locate(epoch, seq))
        {
            Feed.Sent(connection, epoch, seq);
        }
    }

    /// <summary>
    /// From a resume on, lost events are noticed. With one connection that begins at once. Where the user has other live connections, an event
    /// up to this head may still be on its way to them, and the feed would take it for a repeat: it waits for that event first.
    /// </summary>
    public void HeadRead(string epoch, long head)
    {
        // A connection that resumed in another epoch must hear of the change: that takes a place to change from.
        var isSameEpoch = _floor is not { } floor || floor.Epoch == epoch;
        if (isSameEpoch)
        {
            _floor = (epoch, Math.Min(_floor?.Head ?? head, head));
        }

        _floorAt = _hub.Now;
        _hub.Attention.Add(this);
        if (isSameEpoch && _connections.Count > 1)
        {
            return;
        }

        Feed.Locate(_floor!.Value.Epoch, _floor.Value.Head);
        Feed.Locate(epoch, head);
    }

    public bool OnTick()
    {
        if (Feed.IsPositioned || Feed.IsRetired || _floor is not { } floor)
        {
            return false;
        }
        if (_hub.Now - _floorAt < _hub.Options.Overdue.TotalMilliseconds)
        {
            return true;
        }
        Feed.Locate(floor.Epoch, floor.Head);
        return false;
    }

    public void Deliver(EncodedEvent e)
    {
        using var span = FanOutSpan.Start(e);
        var (delivered, bytes) = (0, 0L);
        foreach (var connection in _connections)
        {
            if (_aheadOf.Count > 0 && _aheadOf.TryGetValue(connection, out var until))
            {
                if (e.Seq >= until)
                {
                    _aheadOf.Remove(connection);
                }

                if (e.Seq <= until)
                {
                    continue;
                }
            }
            var frame = e.FrameFor(_user);
            connection.Outbound.Send(frame);
            delivered++;
            bytes += frame.Length;
        }
        span.Delivered(e, "direct", delivered, bytes);
        _hub.Metrics.Delivered.Add(delivered);
    }

    public void EpochChanged()
    {
        _aheadOf.Clear();
        TellAll(0);
    }

    public void HoleFound(long from) => TellAll(from);

    public void CaughtUp(Replay replay)
    {
        if (replay.Until > Feed.Last)
        {
            _aheadOf[replay.Connection] = replay.Until;
        }
    }

    public OutboundFrame Durable(long seq) => OutboundFrame.Of(new DurableFrame(null, Feed.Id.Key.Other(_user), seq));

    private void TellAll(long seq)
    {
        var frame = ResumedFrames.Of(Feed.Id, seq, Feed.Last, complete: false, Feed.Epoch, null);
        foreach (var connection in _connections)
        {
            connection.Outbound.Send(frame);
        }
    }
}
