using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.RedisLog;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>
/// The replays of one feed: each is paced by its connection's outbound queue, and what the ring no longer holds is read from the log once
/// for all who wait. Belongs to one hub.
/// </summary>
internal sealed class ReplayQueue(Feed feed, HubContext hub)
{
    private const int MostFailures = 5;
    private const int RetryDelay = 200;

    private readonly List<Replay> _all = [];

    /// <summary>Those who need the log.</summary>
    private readonly List<Replay> _waiting = [];

    /// <summary>Those whom the read under way will serve: who comes later may know of things that it does not.</summary>
    private List<Replay> _asked = [];

    private long _token;
    private long _readAfter;
    private long _retryAt;
    private bool _serving;

    /// <summary>Called when a replay has caught up: its connection is live from <see cref="Replay.Position"/> on.</summary>
    public Action<Replay>? CaughtUp { get; set; }

    public bool IsEmpty => _all.Count == 0;

    public void Start(Replay replay)
    {
        _all.Add(replay);
        Step(replay);
    }

    public void Remove(Connection connection)
    {
        _all.RemoveAll(replay => replay.Connection == connection);
        _waiting.RemoveAll(replay => replay.Connection == connection);
        _asked.RemoveAll(replay => replay.Connection == connection);
    }

    /// <summary>The connection asks for another replay: what is under way ends here, and is answered.</summary>
    public void Cut(Connection connection)
    {
        foreach (var replay in _all.Where(replay => replay.Connection == connection).ToList())
        {
            if (!replay.Announced)
            {
                Answer(replay, replay.Position, Math.Max(replay.Until, replay.Position), complete: false);
            }

            End(replay);
        }
    }

    /// <summary>The connection's queue has room again.</summary>
    public void Resume(Connection connection)
    {
        foreach (var replay in _all.Where(replay => replay.Connection == connection && !replay.NeedsLog).ToList())
        {
            Step(replay);
        }
    }

    /// <summary>
    /// The epoch changed: nothing of the old log is worth sending. Receivers are told by the feed; only open answers are given here.
    /// </summary>
    public void Abort()
    {
        foreach (var replay in _all.ToList())
        {
            replay.Epoch = feed.Epoch;
            replay.Until = feed.Last;
            if (!replay.Announced)
            {
                Answer(replay, 0, feed.Last, complete: false);
            }

            replay.Position = feed.Last;
            End(replay);
        }
    }

    /// <summary>A message was deleted: what was read before must not be replayed any more.</summary>
    public void Redact(long target)
    {
        foreach (var e in _all.SelectMany(replay => replay.Slice))
        {
            e.Redact(target);
        }
    }

    public void TailAnswered(long token, TailSlice? slice)
    {
        if (token != _token)
        {
            return;
        }

        _token = 0;
        var asked = _asked;
        _asked = [];
        if (slice is null || (feed.Positioned && slice.Epoch != feed.Epoch))
        {
            if (slice is not null)
            {
                feed.Repair();
            }

            foreach (var replay in asked)
            {
                Fail(replay);
            }
        }
        else
        {
            feed.HeadRead(slice.Epoch, slice.Head);
            var events = slice.Events.Select(e => new EncodedEvent(e)).ToList();
            var readAfter = _readAfter;
            _serving = true;
            foreach (var replay in asked)
            {
                Serve(replay, slice, events, readAfter);
            }

            _serving = false;
        }
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
        return _retryAt != 0;
    }

    private void Step(Replay replay)
    {
        while (true)
        {
            if (replay.Until != Replay.Unknown && !replay.Announced && (replay.Position >= replay.Until || replay.Budget == 0))
            {
                Answer(replay, replay.Position, replay.Until, replay.Position >= replay.Until);
                replay.Position = replay.Until;
            }
            if (replay.Announced && (!replay.LeadsToLive || replay.Position >= feed.Last))
            {
                End(replay);
                return;
            }
            if (replay.Until == Replay.Unknown || replay.Next(feed.Ring, feed.Last) is not { } next)
            {
                replay.NeedsLog = true;
                _waiting.Add(replay);
                Read();
                return;
            }
            if (replay.Connection.Outbound.TryWaitForRoom(() =>
                hub.Effects.PostToSelf(new HubMessage.RoomToSend(replay.Connection, feed.Id))))
            {
                return;
            }

            replay.Connection.Outbound.Send(next.FrameFor(replay.Connection.User));
            replay.Position = next.Seq;
            replay.Budget -= replay.Announced ? 0 : 1;
            hub.Metrics.Replayed.Add(1);
        }
    }

    private void Serve(Replay replay, TailSlice slice, List<EncodedEvent> events, long readAfter)
    {
        replay.NeedsLog = false;
        replay.Failures = 0;
        if (replay.Epoch != slice.Epoch && !Begin(replay, slice))
        {
            return;
        }

        replay.Slice = events;
        // Asked for exactly this place and not given: the tail no longer holds it.
        if (replay.Position == readAfter && events.Count == 0 && (replay.Announced ? feed.Last : replay.Until) > replay.Position)
        {
            Skip(replay);
        }

        Step(replay);
    }

    /// <summary>
    /// The log's first answer to a replay whose end is not known yet, or another epoch than before. False: there is nothing to replay.
    /// </summary>
    private bool Begin(Replay replay, TailSlice slice)
    {
        var known = replay.Epoch ?? replay.ClientEpoch ?? slice.Epoch;
        replay.Epoch = slice.Epoch;
        // Live traffic may have begun behind the head that was read, with something lost in between.
        replay.Until = feed.Positioned && feed.Epoch == slice.Epoch ? Math.Max(slice.Head, feed.Last) : slice.Head;
        if (known != slice.Epoch || replay.Position > replay.Until)
        {
            Answer(replay, 0, replay.Until, complete: false);
            End(replay);
            return false;
        }
        return true;
    }

    /// <summary>One read at a time, for all who wait when it starts.</summary>
    private void Read()
    {
        if (_serving || _waiting.Count == 0 || _token != 0 || _retryAt != 0)
        {
            return;
        }

        _token = hub.NextToken();
        _asked = [.. _waiting];
        _waiting.Clear();
        _readAfter = _asked.Min(replay => replay.Position);
        hub.Effects.ReadTail(feed.Id, _readAfter, hub.Options.ReplayEvents, _token);
    }

    private void Fail(Replay replay)
    {
        if (++replay.Failures < MostFailures)
        {
            _waiting.Add(replay);
            _retryAt = hub.Now + RetryDelay;
            hub.Attention.Add(feed);
            return;
        }
        if (replay.Until == Replay.Unknown)
        {
            replay.Connection.Outbound.Send(OutboundFrame.Of(new ErrorFrame(
                ErrorCodes.Unavailable, "the log can't be reached", null, replay.Ref, (int)hub.Options.RetryAfter.TotalMilliseconds)));
            End(replay);
            return;
        }
        replay.NeedsLog = false;
        Skip(replay);
        Step(replay);
    }

    /// <summary>Ends early: the client fetches the rest over HTTP.</summary>
    private void Skip(Replay replay)
    {
        var head = replay.Announced ? feed.Last : replay.Until;
        Answer(replay, replay.Position, head, complete: false);
        replay.Position = head;
    }

    private void Answer(Replay replay, long seq, long head, bool complete)
    {
        var frame = ResumedFrames.Of(feed.Id, seq, head, complete, replay.Epoch ?? feed.Epoch, replay.Announced ? null : replay.Ref);
        replay.Announced = true;
        replay.Connection.Outbound.Send(frame);
    }

    private void End(Replay replay)
    {
        _all.Remove(replay);
        _waiting.Remove(replay);
        _asked.Remove(replay);
        CaughtUp?.Invoke(replay);
    }
}
