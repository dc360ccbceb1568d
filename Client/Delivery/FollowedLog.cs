using AspireChat.Client.Wire;

namespace AspireChat.Client.Delivery;

/// <summary>Where the missing events of one conversation's log come from.</summary>
internal interface ILogSource
{
    /// <summary>Asks the server for what follows the cursor, and with it for the log's epoch. The next connection asks by itself.</summary>
    void AskForReplay();

    /// <summary>Reads the missing events from history.</summary>
    void StartRepair();
}

/// <summary>
/// The log of one conversation as the application follows it: how far it has got, what is missing, and whether the log is still the same
/// one. Events do not name their log. After a reconnect only <c>joined</c>, <c>resumed</c> or a page of history says which log they belong
/// to, so events and reports wait until then. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class FollowedLog
{
    /// <summary>
    /// Most events held: a whole replay, which may have to wait for the log's epoch. A repair brings again what was let go.
    /// </summary>
    private const int HeldLimit = 1_024;

    /// <summary>
    /// When history shows another epoch, the socket is asked this many times to confirm it. Then history alone is believed.
    /// </summary>
    private const int EpochQuestions = 3;

    private readonly Conversation _name;
    private readonly IDeliveryHost _session;
    private readonly ILogSource _source;
    private readonly Sequencer _order = new(HeldLimit);
    private readonly DurableReports _durable = new();
    private bool _unconfirmed;
    private int _epochQuestions;
    private bool _check;
    private TimeSpan? _lateAt;

    public FollowedLog(Conversation name, IDeliveryHost session, ILogSource source)
    {
        (_name, _session, _source) = (name, session, source);
        Replay = new Replay(session, session.Options.LateAfter * 2);
    }

    public Replay Replay { get; }

    /// <summary>Rises when the log was replaced by another one, so that answers about the old one are known as such.</summary>
    public int Generation { get; private set; }

    /// <summary>The events behind this place are asked for. Null until the place in the log is known.</summary>
    public ConversationCursor? Cursor => _order.ResumeFrom is { } from ? new ConversationCursor(from, _order.Epoch) : null;

    /// <summary>The seq of the last event that was given; null until the place in the log is known.</summary>
    public long? Last => _order.Last;

    /// <summary>Null until the server has named it.</summary>
    public string? Epoch => _order.Epoch;

    /// <summary>Events are missing, or may be.</summary>
    public bool IsBehind => _order.IsBehind || (_check && _order.Last is not null);

    /// <summary>Takes a place that the application or the overview knows. Does nothing when the place is known already.</summary>
    public void StartAt(ConversationCursor cursor)
    {
        if (_order.Last is null)
        {
            _order.Reset(cursor.Epoch, cursor.Seq);
        }
    }

    public void OnEvent(WireFrame frame)
    {
        if (_order.Last is null)
        {
            // A room's events begin behind its snapshot. A direct conversation begins with the first event that arrives.
            if (_name.IsRoom)
            {
                return;
            }

            _order.Reset(_order.Epoch, frame.Seq!.Value - 1);
        }
        Take(ServerFrameReader.ToEvent(frame, _name, _order.Epoch));
        Replay.Heard();
        Flush();
        RepairIfBehind();
        // Without the log's epoch nobody would notice that the log was rebuilt.
        if (_order.Epoch is null && !Replay.IsUnderWay)
        {
            _source.AskForReplay();
        }
    }

    /// <summary>An acknowledgement says that the log has an event at this place.</summary>
    public void OnAccepted(long seq, string epoch, bool duplicate)
    {
        // A repeated send is answered with the place that it got at first, which may be in a log that no longer exists.
        if (duplicate && (_order.Epoch is null || epoch != _order.Epoch))
        {
            return;
        }

        if (_order.Last is null && !_name.IsRoom)
        {
            _order.Reset(epoch, seq - 1);
        }

        if (_order.Last is null || _order.IsFormer(epoch))
        {
            return;
        }

        if (_order.IsForeign(epoch))
        {
            Check();
        }
        else
        {
            Expect(seq);
        }
    }

    /// <summary>The room was joined at this place; a replay follows if the join asked for one.</summary>
    public void OnJoined(RoomJoined snapshot, bool replayFollows)
    {
        _session.Give(snapshot);
        Compare(snapshot.Epoch, snapshot.Head, replayFollows);
        Flush();
    }

    public void OnResumed(string epoch, long head)
    {
        Replay.End();
        Compare(epoch, head, replayFollows: false);
        Flush();
    }

    /// <summary>No replay is to be had: looks for missed events in history.</summary>
    public void LookForMissed()
    {
        Replay.End();
        Check();
    }

    public void OnDurable(long seq)
    {
        if (_unconfirmed)
        {
            _durable.Hold(seq);
            return;
        }
        _durable.Reach(seq);
        _session.Offer(new EventsDurable(_name, seq));
        if (_order.Last is not null)
        {
            Expect(seq);
        }
    }

    public Task DurableAsync(SendReceipt receipt) => receipt.Epoch is not null && _order.Epoch is not null && receipt.Epoch != _order.Epoch
        ? Task.FromException(
            new ChatException(ChatErrorCodes.EpochChanged, "The event was accepted into a log that has been rebuilt since."))
        : _durable.WaitAsync(receipt.Seq);

    /// <summary>The overview says that a direct conversation reaches this far.</summary>
    public void OnOverview(long head)
    {
        if (_order.Last is null || head <= _order.Last || Replay.IsUnderWay)
        {
            return;
        }

        _order.Expect(head);
        _source.AskForReplay();
    }

    /// <summary>Nothing more comes on this connection.</summary>
    public void OnDown()
    {
        Replay.End();
        _lateAt = null;
        _unconfirmed = _order.Last is not null;
        _order.OnDown();
    }

    /// <summary>The conversation is no longer followed.</summary>
    public void Drop(ChatException reason)
    {
        Generation++;
        _durable.Fail(reason);
    }

    public void Tick()
    {
        if (Replay.HasStalled)
        {
            LookForMissed();
        }

        if (_lateAt <= _session.Now)
        {
            _lateAt = null;
            RepairIfBehind();
        }
    }

    /// <summary>Takes what history has behind <paramref name="after"/>. True when it brought the missing events nearer.</summary>
    /// <param name="after">The place that history was asked about. The log may have moved on since then.</param>
    public bool OnPage(long after, string epoch, long head, IReadOnlyList<WireFrame> items)
    {
        if (_order.IsFormer(epoch))
        {
            return false;
        }

        List<ChatEvent> events = [.. items.OrderBy(item => item.Seq).Select(item => ServerFrameReader.ToEvent(item, _name, epoch, head))];
        if (_order.IsTooShort(head) || events.Exists(_order.IsContradictedBy))
        {
            Reload(epoch, head);
            Flush();
            return true;
        }

        if (_order.IsForeign(epoch) && _epochQuestions++ < EpochQuestions)
        {
            // Frames of the old log may still be on their way to this client. The socket's own answer comes behind them.
            _unconfirmed = true;
            _source.AskForReplay();
            return true;
        }
        if (_order.IsForeign(epoch) || head < after)
        {
            Reload(epoch, head);
            Flush();
            return true;
        }
        Confirm();
        var (before, reachedBefore) = (_order.Last, _order.Peek()?.Seq);
        _check = false;
        _order.Expect(head);
        events.ForEach(Take);

        Flush();
        return _order.Last > before || _order.Peek()?.Seq != reachedBefore || !IsBehind;
    }

    /// <summary>History was asked often enough and does not have the missing events.</summary>
    public void GiveUp(long head)
    {
        _check = false;
        Confirm();
        if (_order.Skip(head) is { } gap)
        {
            ClientMetrics.Gaps.Add(gap.To - gap.From + 1);
            _session.Give(new HistoryGap(_name, gap.From, gap.To));
        }
        else
        {
            _order.ExpectNoMore();
        }
        Flush();
    }

    /// <summary>Gives the application the events that are ready, in order. They wait while it is unknown to which log they
    /// belong.</summary>
    public void Flush()
    {
        while (!_unconfirmed && _order.Peek() is { } e)
        {
            _order.Delivered();
            // An event that arrived before the log's epoch was known gets the epoch now.
            _session.Give(e.Epoch is null ? e with { Epoch = _order.Epoch } : e);
        }
    }

    public void RepairIfBehind()
    {
        if (IsBehind && !Replay.IsUnderWay)
        {
            _source.StartRepair();
        }
    }

    private void Take(ChatEvent e)
    {
        // The user's own copy says all that its acknowledgement says. It is the only answer when a lost connection took that away.
        if (e.Nonce is not null && e.From == _session.User && !_unconfirmed)
        {
            _session.Outbox.Accept(new SendReceipt(_name, e.Nonce, e.Id, e.Seq, e.Epoch, e.Timestamp, Duplicate: false));
        }

        switch (_order.Arrive(e))
        {
            case Arrival.Known:
                ClientMetrics.Repeats.Add(1);
                break;
            case Arrival.Conflict:
                _session.Fault(ChatErrorCodes.EpochChanged, $"seq {e.Seq} came with another event than before", _name);
                Check();
                break;
        }
    }

    private void Expect(long seq)
    {
        _order.Expect(seq);
        if (!_order.IsBehind || _lateAt is not null)
        {
            return;
        }

        _lateAt = _session.Now + _session.Options.LateAfter;
        _session.WakeAt(_lateAt.Value);
    }

    private void Confirm()
    {
        (_unconfirmed, _epochQuestions) = (false, 0);
        if (_durable.Release() is > 0 and var durable)
        {
            OnDurable(durable);
        }
    }

    /// <summary>Compares the place in the log with what the socket says of the log.</summary>
    private void Compare(string epoch, long head, bool replayFollows)
    {
        if (_order.IsTooShort(head))
        {
            // Either the node lags behind or the log is another one. History knows which.
            Replay.End();
            Check();
            return;
        }
        if (_order.IsForeign(epoch))
        {
            _durable.Release();
        }

        Confirm();
        if (_order.Last is null)
        {
            _order.Reset(epoch, head);
        }
        else if (_order.IsForeign(epoch))
        {
            Reload(epoch, head);
        }
        else if (head < _order.Last)
        {
            // Either the node lags behind or the log was rolled back. History knows which.
            Replay.End();
            Check();
        }
        else
        {
            _order.Expect(head);
            if (!replayFollows)
            {
                RepairIfBehind();
            }
        }
    }

    private void Check()
    {
        _check = true;
        RepairIfBehind();
    }

    private void Reload(string epoch, long head)
    {
        Generation++;
        _order.Reset(epoch, head);
        _durable.Fail(new ChatException(ChatErrorCodes.EpochChanged, "The conversation's log was rebuilt."));
        Confirm();
        _check = false;
        _lateAt = null;
        Replay.End();
        _session.Give(new ConversationReset(_name, epoch, head));
    }
}
