using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// Follows one conversation in seq order: what arrives by pub/sub is only a hint, the log is the record. A jump in seq, a head that is
/// known but does not arrive, or an unknown epoch makes it read the log, once for all local receivers. Belongs to one hub.
/// </summary>
internal abstract class Feed
{
    private const int ReadEvents = 1_000;
    private const int LongestRetry = 2_000;

    private readonly SortedDictionary<long, EncodedEvent> _ahead = [];
    private readonly List<string> _pastEpochs = [];
    private long _knownHead;
    private long _knownSince;
    private long _readToken;
    private long _readAfter;
    private long _knownAtRead;
    private bool _readAgain;
    private long _retryAt;
    private int _failures;

    protected Feed(FeedId id, HubContext hub)
    {
        Id = id;
        Hub = hub;
        Ring = new EventRing(hub.Options.RingEvents, hub.Options.RingBytes);
        Replays = new ReplayQueue(this, hub);
    }

    public FeedId Id { get; }

    /// <summary>False until the place in the log is known; what arrives before waits.</summary>
    public bool Positioned { get; private set; }

    public string Epoch { get; private set; } = "";

    /// <summary>The last seq delivered.</summary>
    public long Last { get; private set; }

    public EventRing Ring { get; }

    /// <summary>False: nobody listens, so nothing needs to be found out.</summary>
    public abstract bool HasReceivers { get; }

    /// <summary>Forgotten by its hub: nothing is to be done for it any more.</summary>
    public bool IsRetired { get; set; }

    protected HubContext Hub { get; }

    protected ReplayQueue Replays { get; }

    private bool Reading => _readToken != 0;

    /// <summary>
    /// The conversation's place as the log told it. False: in an epoch that this feed does not (or no longer) follow; the feed finds out
    /// which.
    /// </summary>
    public bool Locate(string epoch, long head)
    {
        if (!Positioned)
        {
            Positioned = true;
            Epoch = epoch;
            Last = _knownHead = head;
            DeliverAhead();
            if (_ahead.Count > 0)
            {
                Repair();
            }

            return true;
        }
        if (epoch != Epoch)
        {
            if (!_pastEpochs.Contains(epoch))
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
        if (!Positioned)
        {
            Hold(e);
        }
        else if (e.Epoch != Epoch)
        {
            // Only the log says which epoch is the current one: a late event of an old epoch looks just the same.
            if (_pastEpochs.Contains(e.Epoch))
            {
                return;
            }

            Hold(e);
            Repair();
        }
        else if (e.Seq <= Last)
        {
            CheckIdentity(e);
        }
        else if (e.Seq == Last + 1)
        {
            Advance(e);
            DeliverAhead();
        }
        else
        {
            Hub.Metrics.Gaps.Add(1);
            Hold(e);
            Expect(e.Seq);
            Repair();
        }
    }

    /// <summary>Something may have been missed: reads the log from the last delivered event on.</summary>
    public void Repair()
    {
        if (!Positioned)
        {
            return;
        }

        if (Reading)
        {
            _readAgain = true;
            return;
        }
        _readToken = Hub.NextToken();
        _readAfter = Last;
        _knownAtRead = _knownHead;
        _retryAt = 0;
        Hub.Metrics.Repairs.Add(1);
        Hub.Effects.ReadTail(Id, Last, ReadEvents, _readToken);
    }

    /// <summary>What the log answered; no slice: it can't be reached.</summary>
    public void TailAnswered(long token, TailSlice? slice)
    {
        if (token != _readToken)
        {
            Replays.TailAnswered(token, slice);
            return;
        }
        _readToken = 0;
        var again = _readAgain;
        _readAgain = false;
        if (slice is null)
        {
            RetryLater();
            return;
        }
        _failures = 0;
        var before = Last;
        if (slice.Epoch != Epoch)
        {
            if (!_pastEpochs.Contains(slice.Epoch))
            {
                Restart(slice);
            }
            else
            {
                again = true;
            }
        }
        else if (slice.Head < _readAfter)
        {
            // The log went back behind what was delivered, in the same epoch: somebody restored an old Redis by hand.
            HubLog.LogWentBack(Hub.Logger, Id.Key.Value, slice.Head, _readAfter);
            Hub.Metrics.Conflicts.Add(1);
            Restart(slice);
        }
        else
        {
            Take(slice);
            if (_knownHead == _knownAtRead)
            {
                _knownHead = Math.Max(slice.Head, Last);
            }
        }
        if (!again)
        {
            DropForeign();
        }

        DeliverAhead();
        if (again || (Last < slice.Head && Last > before))
        {
            Repair();
        }
        else if (_ahead.Count > 0 || Last < slice.Head)
        {
            RetryLater();
        }
    }

    /// <summary>True while the feed waits for time to pass.</summary>
    public virtual bool OnTick()
    {
        if (IsRetired)
        {
            return false;
        }

        var behind = _knownHead > Last;
        if (!Reading && HasReceivers && ((_retryAt != 0 && Hub.Now >= _retryAt)
            || (_retryAt == 0 && behind && Hub.Now - _knownSince >= Hub.Options.Overdue.TotalMilliseconds)))
        {
            Repair();
        }
        var replays = Replays.OnTick();
        return (HasReceivers && (behind || _retryAt != 0)) || replays;
    }

    /// <summary>The head is at least this; when it does not arrive soon, it is read.</summary>
    public void Expect(long head)
    {
        if (head <= Last)
        {
            return;
        }

        Hub.Attention.Add(this);
        if (_knownHead <= Last)
        {
            _knownSince = Hub.Now;
        }

        _knownHead = Math.Max(_knownHead, head);
    }

    /// <summary>All events of the epoch up to <paramref name="seq"/> are in PostgreSQL. May come repeatedly, and late.</summary>
    public abstract void Committed(string epoch, long seq);

    /// <summary>A replay's read told the head.</summary>
    public virtual void HeadRead(string epoch, long head)
    {
        if (Positioned)
        {
            Locate(epoch, head);
        }
    }

    /// <summary>The next event in order: hand it to the receivers.</summary>
    protected abstract void Deliver(EncodedEvent e);

    /// <summary>
    /// The log is another one now (<see cref="Epoch"/>): the receivers must reload, live goes on behind <see cref="Last"/>. Replays that
    /// have not been answered yet are answered by <see cref="ReplayQueue.Abort"/>.
    /// </summary>
    protected abstract void EpochChanged();

    /// <summary>The log no longer holds what is behind <paramref name="from"/>; live goes on behind <see cref="Last"/>.</summary>
    protected abstract void HoleFound(long from);

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
        Last = slice.Head;
        Ring.Clear();
        Hub.Metrics.Holes.Add(1);
        HubLog.HoleFound(Hub.Logger, Id.Key.Value, from, slice.Head);
        HoleFound(from);
    }

    private void Restart(TailSlice slice)
    {
        if (_pastEpochs.Count == 8)
        {
            _pastEpochs.RemoveAt(0);
        }

        if (slice.Epoch != Epoch)
        {
            _pastEpochs.Add(Epoch);
        }

        HubLog.EpochChanged(Hub.Logger, Id.Key.Value, Epoch, Last, slice.Epoch, slice.Head);
        Epoch = slice.Epoch;
        Last = _knownHead = slice.Head;
        Ring.Clear();
        EpochChanged();
        Replays.Abort();
    }

    private void Advance(EncodedEvent e)
    {
        Last = e.Seq;
        // In order means that pub/sub is alive: what is still expected gets its full time again.
        _knownSince = Hub.Now;
        _knownHead = Math.Max(_knownHead, Last);
        Ring.Add(e);
        if (e.Deletes > 0)
        {
            Ring.Redact(e.Deletes);
            Replays.Redact(e.Deletes);
        }
        Deliver(e);
    }

    private void Hold(EncodedEvent e)
    {
        // What is not held is not lost: the head is known to be above it, and the log is read.
        if (_ahead.Count < Hub.Options.AheadEvents || _ahead.ContainsKey(e.Seq))
        {
            _ahead[e.Seq] = e;
        }
    }

    private void DeliverAhead()
    {
        while (_ahead.Count > 0)
        {
            var (seq, e) = _ahead.First();
            if (e.Epoch != Epoch || seq > Last + 1)
            {
                return;
            }

            _ahead.Remove(seq);
            if (seq == Last + 1)
            {
                Advance(e);
            }
        }
    }

    private void DropForeign()
    {
        foreach (var seq in _ahead.Where(held => held.Value.Epoch != Epoch).Select(held => held.Key).ToList())
        {
            _ahead.Remove(seq);
        }
    }

    private void CheckIdentity(EncodedEvent e)
    {
        if (Ring.Find(e.Seq) is not { } known || known.Id == e.Id)
        {
            return;
        }

        Hub.Metrics.Conflicts.Add(1);
        HubLog.ConflictingEvent(Hub.Logger, Id.Key.Value, e.Epoch, e.Seq, known.Id, e.Id);
    }

    private void RetryLater()
    {
        _retryAt = Hub.Now + Math.Min(LongestRetry, 100 << Math.Min(_failures++, 5));
        Hub.Attention.Add(this);
    }
}
