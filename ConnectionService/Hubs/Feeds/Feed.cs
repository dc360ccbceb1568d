using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// Follows one conversation in seq order: what arrives by pub/sub is only a hint, the log is the record. A jump in seq, a head that is known but
/// does not arrive, or an unknown epoch makes it read the log, once for all local receivers. It is put together from a position in the log
/// (<see cref="FeedPosition"/>), its repair (<see cref="TailRepair"/>), the replays (<see cref="ReplayQueue"/>) and the connections that it
/// delivers to (<see cref="IFeedReceivers"/>). Belongs to one hub.
/// </summary>
internal sealed class Feed : ITimed
{
    private readonly HubContext _hub;
    private readonly IFeedReceivers _receivers;
    private readonly FeedPosition _position;
    private readonly TailRepair _repair;
    private readonly EventRing _ring;
    private readonly SentMarks _sent;

    public Feed(FeedId id, IFeedReceivers receivers, HubContext hub)
    {
        Id = id;
        Partition = id.Key.Partition;
        _hub = hub;
        hub.Traffic.Followed(Partition);
        _receivers = receivers;
        _position = new FeedPosition(hub.Options.AheadEvents);
        _repair = new TailRepair(id, _position, hub);
        _ring = new EventRing(hub.Options.RingEvents, hub.Options.RingBytes);
        _sent = new SentMarks(receivers.Durable);
        Replays = new ReplayQueue(id, _position, _ring, receivers, hub);
    }

    public FeedId Id { get; }

    /// <summary>Of the log.</summary>
    public int Partition { get; }

    /// <summary>The hub's clock when the last message about the conversation came.</summary>
    public long HeardAt { get; private set; } = long.MinValue / 2;

    /// <summary>For <see cref="HeadCheck"/>: how often the partition had moved when the head was last compared; 0: it has to be.</summary>
    public long CheckedAt { get; set; }

    /// <summary>False until the place in the log is known; what arrives before waits.</summary>
    public bool IsPositioned => _position.IsKnown;

    public string Epoch => _position.Epoch;

    /// <summary>The last seq delivered.</summary>
    public long Last => _position.Last;

    public ReplayQueue Replays { get; }

    /// <summary>There is somebody to find something out for.</summary>
    public bool HasReceivers => _receivers.Any;

    /// <summary>Forgotten by its hub: nothing is to be done for it any more.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Replays are under way, or senders wait for their events to be durable.</summary>
    public bool IsBusy => !Replays.IsEmpty || !_sent.IsEmpty;

    /// <summary>
    /// The conversation's place as the log told it. False: in an epoch that this feed does not (or no longer) follow; the feed finds out which.
    /// </summary>
    public bool Locate(string epoch, long head)
    {
        if (!IsPositioned)
        {
            _position.Start(epoch, head);
            _repair.Placed();
            DeliverAhead();
            if (_position.HasAhead)
            {
                Repair();
            }
            return true;
        }
        if (epoch != Epoch)
        {
            if (!_position.IsPast(epoch))
            {
                Repair();
            }
            return false;
        }
        Expect(head);
        return true;
    }

    /// <summary>An event from pub/sub: in any order, repeated, late.</summary>
    public void Receive(EncodedEvent e)
    {
        Heard();
        switch (_position.Classify(e))
        {
            case Arrival.Next:
                Advance(e);
                DeliverAhead();
                break;
            case Arrival.Repeat:
                CheckIdentity(e);
                break;
            case Arrival.Ahead:
                _hub.Metrics.Gaps.Add(1);
                _position.Hold(e);
                Expect(e.Seq);
                Repair();
                break;
            case Arrival.Unplaced:
                _position.Hold(e);
                break;
            case Arrival.OtherEpoch:
                // Only the log says which epoch is the current one: a late event of an old epoch looks just the same.
                _position.Hold(e);
                Repair();
                break;
            case Arrival.PastEpoch:
                break;
        }
    }

    /// <summary>Something may have been missed: reads the log from the last delivered event on.</summary>
    public void Repair() => _repair.Start();

    /// <summary>What the log answered to <see cref="IHubEffects.ReadForRepair"/>; no slice: it can't be reached.</summary>
    public void RepairAnswered(long token, TailSlice? slice)
    {
        if (!_repair.TryEnd(token, out var again))
        {
            return;
        }
        if (slice is null)
        {
            RetryLater();
            return;
        }
        _repair.Succeeded();
        var before = Last;
        if (slice.Epoch != Epoch)
        {
            if (_position.IsPast(slice.Epoch))
            {
                again = true;
            }
            else
            {
                Restart(slice);
            }
        }
        else if (slice.Head < _repair.ReadAfter)
        {
            // The log went back behind what was delivered, in the same epoch: somebody restored an old Redis by hand.
            HubLog.LogWentBack(_hub.Logger, Id.Key.Value, slice.Head, _repair.ReadAfter);
            _hub.Metrics.Conflicts.Add(1);
            Restart(slice);
        }
        else
        {
            Take(slice);
            _repair.Confirm(slice.Head);
        }
        if (!again)
        {
            _position.DropForeign();
        }
        DeliverAhead();
        if (again || (Last < slice.Head && Last > before))
        {
            Repair();
        }
        else if (_position.HasAhead || Last < slice.Head)
        {
            RetryLater();
        }
    }

    /// <summary>What the log answered to <see cref="IHubEffects.ReadForReplay"/>; no slice: it can't be reached.</summary>
    public void ReplayAnswered(long token, TailSlice? slice)
    {
        if (!Replays.IsAsking(token))
        {
            return;
        }
        if (slice is not null && IsPositioned && slice.Epoch != Epoch)
        {
            Repair();
            slice = null;
        }
        else if (slice is not null && IsPositioned)
        {
            Locate(slice.Epoch, slice.Head);
        }
        else if (slice is not null)
        {
            _receivers.HeadRead(slice.Epoch, slice.Head);
        }
        Replays.Answered(slice);
    }

    public bool OnTick()
    {
        if (IsRetired)
        {
            return false;
        }
        if (HasReceivers && _repair.IsDue)
        {
            Repair();
        }
        return HasReceivers && _repair.IsWaiting;
    }

    /// <summary>The head is at least this; when it does not arrive soon, it is read.</summary>
    public void Expect(long head)
    {
        if (_repair.Expect(head))
        {
            _hub.Attention.Add(this);
        }
    }

    /// <summary>A local connection's event has its place: it is told when the event is durable.</summary>
    public void Sent(Connection connection, string epoch, long seq) => _sent.Sent(connection, epoch, seq);

    /// <summary>A message said how far the events are committed.</summary>
    public void DurableHeard(string epoch, long seq)
    {
        Heard();
        Committed(epoch, seq);
    }

    /// <summary>All events of the epoch up to <paramref name="seq"/> are in PostgreSQL. May come repeatedly, and late.</summary>
    public void Committed(string epoch, long seq)
    {
        if (!IsPositioned || epoch == Epoch)
        {
            _sent.Committed(epoch, seq);
        }
    }

    /// <summary>
    /// Content of earlier events was erased, or may have been while nothing was heard: replays read it again. What was delivered stays
    /// delivered.
    /// </summary>
    public void ForgetContent()
    {
        _ring.Clear();
        Replays.ForgetPage();
    }

    /// <summary>The connection is gone.</summary>
    public void Remove(Connection connection)
    {
        Replays.Remove(connection);
        _sent.Remove(connection);
    }

    private void Heard()
    {
        HeardAt = _hub.Now;
        _hub.Traffic.Heard(Partition);
    }

    private void Take(TailSlice slice)
    {
        foreach (var e in slice.Events)
        {
            if (e.Seq == Last + 1)
            {
                Advance(new EncodedEvent(e));
            }
        }
        if (slice.Events.Count > 0 || Last >= slice.Head)
        {
            return;
        }
        var from = Last;
        _position.SkipTo(slice.Head);
        _ring.Clear();
        _hub.Metrics.Holes.Add(1);
        HubLog.HoleFound(_hub.Logger, Id.Key.Value, from, slice.Head);
        _receivers.HoleFound(from);
    }

    private void Restart(TailSlice slice)
    {
        HubLog.EpochChanged(_hub.Logger, Id.Key.Value, Epoch, Last, slice.Epoch, slice.Head);
        _position.Restart(slice.Epoch, slice.Head);
        _repair.Placed();
        _ring.Clear();
        _sent.Reset();
        _receivers.EpochChanged();
        Replays.Abort();
    }

    private void Advance(EncodedEvent e)
    {
        _position.Advance(e);
        _repair.Advanced();
        _ring.Add(e);
        if (e.Deletes > 0)
        {
            _ring.Redact(e.Deletes);
            Replays.Redact(e.Deletes);
        }
        _receivers.Deliver(e);
    }

    private void DeliverAhead()
    {
        while (_position.TryTakeNext(out var e))
        {
            Advance(e);
        }
    }

    private void CheckIdentity(EncodedEvent e)
    {
        if (_ring.Find(e.Seq) is not { } known || known.Id == e.Id)
        {
            return;
        }
        _hub.Metrics.Conflicts.Add(1);
        HubLog.ConflictingEvent(_hub.Logger, Id.Key.Value, e.Epoch, e.Seq, known.Id, e.Id);
    }

    private void RetryLater()
    {
        _repair.RetryLater();
        _hub.Attention.Add(this);
    }
}
