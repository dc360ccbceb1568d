using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// A direct conversation as one local user follows it: from the first event seen (or the first resume) on, events reach all of the user's
/// connections in order. Belongs to the user's hub.
/// </summary>
internal sealed class DirectFeed : Feed
{
    private readonly LocalUser _user;
    private readonly SentMarks _sent = new();

    /// <summary>Connections that a replay has taken further than the feed itself has come: they have these events already.</summary>
    private readonly Dictionary<Connection, long> _aheadOf = [];

    /// <summary>The lowest head that a resumed connection has come to while the feed itself had no place yet.</summary>
    private (string Epoch, long Head)? _floor;

    private long _floorAt;

    public DirectFeed(ConversationKey key, LocalUser user, HubContext hub) : base(new FeedId(key, user.Name), hub)
    {
        _user = user;
        UsedAt = hub.Now;
        Replays.CaughtUp = replay =>
        {
            if (replay.Until > Last)
            {
                _aheadOf[replay.Connection] = replay.Until;
            }
        };
    }

    public override bool HasReceivers => _user.Connections.Count > 0;

    /// <summary>When the conversation was last used; the longest idle is forgotten first.</summary>
    public long UsedAt { get; private set; }

    public bool IsBusy => !Replays.IsEmpty || !_sent.IsEmpty;

    public void ReceiveLive(EncodedEvent e)
    {
        UsedAt = Hub.Now;
        // Nothing says what came before the first event that is seen; whoever needs that resumes, and has then come to the floor.
        if (!Positioned && _floor is { } floor)
        {
            Locate(floor.Epoch, floor.Epoch == e.Epoch ? Math.Min(floor.Head, e.Seq - 1) : floor.Head);
        }
        else if (!Positioned)
        {
            Locate(e.Epoch, e.Seq - 1);
        }

        Receive(e);
    }

    public void Resume(Connection connection, long since, string? epoch, RawJson? reference)
    {
        UsedAt = Hub.Now;
        Replays.Start(new Replay(connection, since, Hub.Options.ReplayEvents, reference) { ClientEpoch = epoch });
    }

    public void RoomToSend(Connection connection) => Replays.Resume(connection);

    public void Remove(Connection connection)
    {
        Replays.Remove(connection);
        _aheadOf.Remove(connection);
        _sent.Remove(connection);
    }

    /// <summary>
    /// From a resume on, lost events are noticed. At once for a user's only connection; another one that is live may still be about to get
    /// an event up to this head, which the feed would then take for a repeat: that one is waited for.
    /// </summary>
    public override void HeadRead(string epoch, long head)
    {
        if (!Positioned)
        {
            // A connection that resumed in another epoch must hear of the change: that takes a place to change from.
            var sameEpoch = _floor is not { } floor || floor.Epoch == epoch;
            if (sameEpoch)
            {
                _floor = (epoch, Math.Min(_floor?.Head ?? head, head));
            }

            _floorAt = Hub.Now;
            Hub.Attention.Add(this);
            if (sameEpoch && _user.Connections.Count > 1)
            {
                return;
            }

            Locate(_floor!.Value.Epoch, _floor.Value.Head);
        }
        Locate(epoch, head);
    }

    public override bool OnTick()
    {
        if (!Positioned && _floor is { } floor && Hub.Now - _floorAt >= Hub.Options.Overdue.TotalMilliseconds)
        {
            Locate(floor.Epoch, floor.Head);
        }

        return base.OnTick() || (!Positioned && !IsRetired && _floor is not null);
    }

    public void OwnEventAccepted(Connection connection, string epoch, long seq)
    {
        UsedAt = Hub.Now;
        if (Positioned && !Locate(epoch, seq))
        {
            return;
        }

        _sent.Sent(connection, epoch, seq, DurableFrame);
    }

    public override void Committed(string epoch, long seq)
    {
        if (!Positioned || epoch == Epoch)
        {
            _sent.Committed(epoch, seq, DurableFrame);
        }
    }

    protected override void Deliver(EncodedEvent e)
    {
        using var span = FanOutSpan.Start(e);
        var (delivered, bytes) = (0, 0L);
        foreach (var connection in _user.Connections)
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
            var frame = e.FrameFor(_user.Name);
            connection.Outbound.Send(frame);
            delivered++;
            bytes += frame.Length;
        }
        span.Delivered(e, "direct", delivered, bytes);
        Hub.Metrics.Delivered.Add(_user.Connections.Count);
    }

    protected override void EpochChanged()
    {
        _sent.Reset();
        _aheadOf.Clear();
        Tell(0);
    }

    protected override void HoleFound(long from) => Tell(from);

    private void Tell(long seq)
    {
        var frame = ResumedFrames.Of(Id, seq, Last, complete: false, Epoch, null);
        foreach (var connection in _user.Connections)
        {
            connection.Outbound.Send(frame);
        }
    }

    private OutboundFrame DurableFrame(long seq) => OutboundFrame.Of(new DurableFrame(null, Id.Key.Other(_user.Name), seq));
}
