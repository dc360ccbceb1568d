using System.Diagnostics;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// The replays of one feed, at most one for each connection. Each is paced by its connection's queue and its user's budget of bytes. What the
/// ring no longer holds is read from the log in pages, one page at a time, for all replays that wait for it. A page is sent as far as the queues
/// have space and then dropped, so a client that does not read holds no memory but its queue's. Belongs to one hub.
/// </summary>
internal sealed class ReplayQueue(
    FeedId feed, FeedPosition position, EventRing ring, IFeedReceivers receivers, HubContext hub) : ITimed
{
    private const int MostFailures = 5;
    private const int RetryDelay = 200;

    /// <summary>Replays that share one page: sending 128 events to each of them takes a hub about 10 ms.</summary>
    private const int MostAsked = 512;

    private readonly Dictionary<Connection, Replay> _all = [];

    /// <summary>Replays that need the log, the longest waiting first. Those that have ended are skipped when their turn comes.</summary>
    private readonly Queue<Replay> _waiting = new();

    /// <summary>Messages that were deleted while a read was under way: its answer may still have their content.</summary>
    private readonly List<long> _deletedMeanwhile = [];

    /// <summary>Replays that the read under way serves. One that comes later may know of events that the read does not.</summary>
    private List<Replay> _asked = [];

    private long _token;
    private long _readAfter;
    private long _retryAt;
    private bool _isServing;

    /// <summary>The read under way began before content was erased: its answer is not used.</summary>
    private bool _isStale;

    public bool IsEmpty => _all.Count == 0;

    /// <summary>Starts a replay. One that is under way for the same connection ends, and is answered.</summary>
    public void Start(Replay replay)
    {
        Cut(replay.Connection);
        _all.Add(replay.Connection, replay);
        Step(replay, []);
    }

    public void Remove(Connection connection)
    {
        if (_all.Remove(connection, out var replay))
        {
            replay.State = ReplayState.Ended;
        }
    }

    /// <summary>Ends what is under way for the connection. The client is told how far it came.</summary>
    public void Cut(Connection connection)
    {
        if (_all.TryGetValue(connection, out var replay))
        {
            Cut(replay);
        }
    }

    /// <summary>Ends all, as <see cref="Cut(Connection)"/> does.</summary>
    public void CutAll()
    {
        foreach (var replay in _all.Values.ToList())
        {
            Cut(replay);
        }
    }

    /// <summary>The connection's queue has space again.</summary>
    public void Resume(Connection connection)
    {
        if (_all.TryGetValue(connection, out var replay) && replay.State == ReplayState.WaitsForSpace)
        {
            Step(replay, []);
        }
    }

    /// <summary>
    /// The epoch changed: nothing of the old log is worth sending. Receivers are told by the feed; only open answers are given here.
    /// </summary>
    public void Abort()
    {
        foreach (var replay in _all.Values.ToList())
        {
            replay.Epoch = position.Epoch;
            replay.Until = position.Last;
            if (!replay.IsAnnounced)
            {
                Answer(replay, 0, position.Last, complete: false);
            }
            replay.MoveTo(position.Last);
            End(replay);
        }
    }

    /// <summary>A message was deleted: what is being read may still have its content.</summary>
    public void Redact(long target)
    {
        if (_token != 0)
        {
            _deletedMeanwhile.Add(target);
        }
    }

    /// <summary>Content was erased: what is being read may still have it, and is read again.</summary>
    public void ForgetPage() => _isStale = _token != 0;

    /// <summary>True for the token of the read under way.</summary>
    public bool IsAsking(long token) => token == _token && _token != 0;

    /// <summary>The read under way has ended. No slice: the log can't be reached, or is in another epoch than the feed.</summary>
    public void Answered(TailSlice? slice)
    {
        Debug.Assert(_token != 0, "only the read under way is answered");
        _token = 0;
        var asked = _asked.Where(replay => replay.State == ReplayState.Asked).ToList();
        _asked = [];
        var isStale = _isStale;
        _isStale = false;
        if (slice is null)
        {
            asked.ForEach(Fail);
        }
        else if (isStale)
        {
            foreach (var replay in asked)
            {
                replay.State = ReplayState.WaitsForLog;
                _waiting.Enqueue(replay);
            }
        }
        else
        {
            var page = Encode(slice);
            _isServing = true;
            foreach (var replay in asked)
            {
                Serve(replay, slice, page);
            }
            _isServing = false;
        }
        _deletedMeanwhile.Clear();
        Read();
    }

    /// <summary>True while replays wait for time to pass.</summary>
    public bool OnTick()
    {
        if (_retryAt != 0 && hub.Now >= _retryAt)
        {
            _retryAt = 0;
            Read();
        }
        var waits = _retryAt != 0;
        foreach (var replay in _all.Values.Where(replay => replay.State == ReplayState.WaitsForBudget).ToList())
        {
            if (hub.Now >= replay.NotBefore)
            {
                Step(replay, []);
            }
            waits |= replay.State == ReplayState.WaitsForBudget;
        }
        return waits;
    }

    /// <summary>Sends as much of a replay as can be sent now, then ends it or notes what it waits for.</summary>
    private void Step(Replay replay, IReadOnlyList<EncodedEvent> page)
    {
        Debug.Assert(replay.State != ReplayState.Ended, "a replay ends once");
        var bytes = 0L;
        replay.State = Send(replay, page, ref bytes);
        replay.Connection.ReplayBudget?.Charge(bytes);
        switch (replay.State)
        {
            case ReplayState.WaitsForLog:
                _waiting.Enqueue(replay);
                Read();
                break;
            case ReplayState.WaitsForBudget:
                hub.Attention.Add(this);
                break;
            case ReplayState.Ended:
                End(replay);
                break;
        }
    }

    private ReplayState Send(Replay replay, IReadOnlyList<EncodedEvent> page, ref long bytes)
    {
        if (replay.Connection.ReplayBudget?.Debt is { } debt && debt > TimeSpan.Zero)
        {
            replay.NotBefore = hub.Now + (long)Math.Ceiling(debt.TotalMilliseconds);
            return ReplayState.WaitsForBudget;
        }
        while (true)
        {
            if (replay.IsComplete)
            {
                Answer(replay, replay.Position, replay.Until, replay.Position >= replay.Until);
                replay.MoveTo(replay.Until);
            }
            if (replay.IsAnnounced && (!replay.LeadsToLive || replay.Position >= position.Last))
            {
                return ReplayState.Ended;
            }
            // Also before the log is asked: without space, the page would be read only to be dropped.
            if (replay.Connection.Outbound.TryWaitForSpace(replay.OnSpace ??= SpaceSignal(replay.Connection)))
            {
                return ReplayState.WaitsForSpace;
            }
            if (replay.Next(ring, position.Last, page) is not { } next)
            {
                return ReplayState.WaitsForLog;
            }
            var frame = next.FrameFor(replay.Connection.User);
            replay.Connection.Outbound.Send(frame);
            replay.Advance(next.Seq);
            bytes += frame.Length;
            hub.Metrics.Replayed.Add(1);
        }
    }

    private Action SpaceSignal(Connection connection) => () => hub.Effects.PostToSelf(new HubMessage.SpaceToSend(connection, feed));

    private void Serve(Replay replay, TailSlice slice, IReadOnlyList<EncodedEvent> page)
    {
        // Another replay of this turn may have ended it.
        if (replay.State != ReplayState.Asked)
        {
            return;
        }
        replay.Failures = 0;
        if (replay.Epoch != slice.Epoch && !Begin(replay, slice))
        {
            return;
        }
        // Asked for exactly this place and not given: the tail no longer holds it.
        if (replay.Position == _readAfter && page.Count == 0 && (replay.IsAnnounced ? position.Last : replay.Until) > replay.Position)
        {
            Skip(replay);
        }
        Step(replay, page);
    }

    /// <summary>
    /// The log's first answer to a replay whose end is not known yet, or another epoch than before. False: there is nothing to replay.
    /// </summary>
    private bool Begin(Replay replay, TailSlice slice)
    {
        var known = replay.Epoch ?? replay.ClientEpoch ?? slice.Epoch;
        replay.Epoch = slice.Epoch;
        // Live traffic may have begun behind the head that was read, with something lost in between.
        replay.Until = position.IsKnown && position.Epoch == slice.Epoch ? Math.Max(slice.Head, position.Last) : slice.Head;
        if (known == slice.Epoch && replay.Position <= replay.Until)
        {
            return true;
        }
        Answer(replay, 0, replay.Until, complete: false);
        End(replay);
        return false;
    }

    /// <summary>Reads the next page for those that have waited longest. One read is under way at a time.</summary>
    private void Read()
    {
        if (_isServing || _token != 0 || _retryAt != 0)
        {
            return;
        }
        Debug.Assert(_asked.Count == 0, "no read is under way");
        while (_asked.Count < MostAsked && _waiting.TryDequeue(out var replay))
        {
            if (replay.State == ReplayState.WaitsForLog)
            {
                replay.State = ReplayState.Asked;
                _asked.Add(replay);
            }
        }
        if (_asked.Count == 0)
        {
            return;
        }
        _token = hub.NextToken();
        // From the first one's place, so that everybody's turn comes, however far the others are.
        _readAfter = _asked[0].Position;
        hub.Effects.ReadForReplay(feed, _readAfter, hub.Options.ReplayPageEvents, _token);
    }

    private List<EncodedEvent> Encode(TailSlice slice)
    {
        var page = slice.Events.Select(e => new EncodedEvent(e)).ToList();
        foreach (var target in _deletedMeanwhile)
        {
            page.ForEach(e => e.Redact(target));
        }
        return page;
    }

    private void Fail(Replay replay)
    {
        if (++replay.Failures < MostFailures)
        {
            replay.State = ReplayState.WaitsForLog;
            _waiting.Enqueue(replay);
            _retryAt = hub.Now + RetryDelay;
            hub.Attention.Add(this);
            return;
        }
        if (replay.Until == Replay.Unknown)
        {
            replay.Connection.Outbound.Send(OutboundFrame.Of(new ErrorFrame(
                ErrorCodes.Unavailable, "the log can't be reached", null, replay.Ref, hub.RetryAfterMilliseconds)));
            End(replay);
            return;
        }
        Skip(replay);
        Step(replay, []);
    }

    /// <summary>Ends early: the client fetches the rest over HTTP.</summary>
    private void Skip(Replay replay)
    {
        var head = replay.IsAnnounced ? position.Last : replay.Until;
        Answer(replay, replay.Position, head, complete: false);
        replay.MoveTo(head);
    }

    private void Cut(Replay replay)
    {
        if (!replay.IsAnnounced)
        {
            Answer(replay, replay.Position, Math.Max(Math.Max(replay.Until, position.Last), replay.Position), complete: false);
        }
        End(replay);
    }

    private void Answer(Replay replay, long seq, long head, bool complete)
    {
        var epoch = replay.Epoch ?? (position.IsKnown ? position.Epoch : replay.ClientEpoch ?? "");
        var frame = ResumedFrames.Of(feed, seq, head, complete, epoch, replay.IsAnnounced ? null : replay.Ref);
        replay.IsAnnounced = true;
        replay.Connection.Outbound.Send(frame);
    }

    private void End(Replay replay)
    {
        replay.State = ReplayState.Ended;
        _all.Remove(replay.Connection);
        receivers.CaughtUp(replay);
    }
}
