using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Delivery;

/// <summary>
/// One conversation of a session: where the application stands in its log, what is missing and how it is got. Not thread-safe: all members
/// are for the session, inside its gate.
/// </summary>
internal sealed class TrackedConversation(Conversation name, IDeliveryHost session)
{
    /// <summary>
    /// Events held, at most: a whole replay, which may have to wait for the log's name. A page brings again what was let go.
    /// </summary>
    private const int HeldLimit = 1_024;

    /// <summary>So often the socket is asked about another epoch that history shows, before history alone is believed.</summary>
    private const int EpochQuestions = 3;

    private readonly Sequencer _log = new(HeldLimit);
    private readonly DurableReports _durable = new();
    private ConversationItem? _notice;
    private RoomJoined? _joined;
    private bool _check;
    private bool _joinHadCursor;

    // Events do not name their log. After a reconnect, only joined, resumed or a page say whether it is still the same; until then they
    // wait.
    private bool _unconfirmed;
    private int _epochQuestions;
    private TimeSpan? _lateAt;
    private TimeSpan _replayHeard;

    public Conversation Name { get; } = name;

    /// <summary>Rises when the log became another one, so that answers about the old one are known as such.</summary>
    public int Generation { get; private set; }

    public bool IsRepairing { get; set; }

    /// <summary>A replay was asked for and has not ended.</summary>
    public bool IsCatchingUp { get; private set; }

    public RoomSeat Seat { get; } = new(name);

    /// <summary>When others were last told that the user types; null when that has stopped.</summary>
    public TimeSpan? TypingToldAt { get; set; }

    public ReadReceipts Reads { get; } = new(name, session);

    /// <summary>From where events are asked for; null until the place in the log is known.</summary>
    public Cursor? Cursor => _log.ResumeFrom is { } from ? new Cursor(from, _log.Epoch) : null;

    public bool IsReady => session.IsConnected && (!Name.IsRoom || Seat.IsJoined);

    /// <summary>Events are missing, or may be.</summary>
    public bool IsBehind => _log.IsBehind || (_check && _log.Last is not null);

    /// <summary>Something waits for room in the application's buffer.</summary>
    public bool IsParked => _notice is not null || _joined is not null || Next is not null;

    private ChatEvent? Next => _unconfirmed ? null : _log.Peek();

    /// <summary>Takes a place that the application, or the overview, knows. Nothing happens when there is one already.</summary>
    public void StartAt(Cursor cursor)
    {
        if (_log.Last is null)
        {
            _log.Reset(cursor.Epoch, cursor.Seq);
        }
    }

    /// <summary>Asks for the room, with what was missed where a place in it is known.</summary>
    public void SendJoin()
    {
        _joinHadCursor = Cursor is not null;
        Seat.AskAgainAt = session.Now + session.Options.AckTimeout;
        if (session.Send(ClientFrames.Join(Name.RoomId!, Cursor, session.NewReference([this]))) && _joinHadCursor)
        {
            CatchUp();
        }
    }

    /// <summary>A frame that asks for the replay of this conversation went out.</summary>
    public void CatchUp()
    {
        IsCatchingUp = true;
        _joinHadCursor = true;
        _replayHeard = session.Now;
        session.WakeAt(session.Now + (session.Options.LateAfter * 2));
    }

    public void OnEvent(WireFrame frame)
    {
        if (_log.Last is null)
        {
            // A room's events begin behind its snapshot; a direct conversation begins with what comes first.
            if (Name.IsRoom)
            {
                return;
            }

            _log.Reset(_log.Epoch, frame.Seq!.Value - 1);
        }
        Take(ServerFrameReader.ToEvent(frame, Name, _log.Epoch));
        if (IsCatchingUp)
        {
            _replayHeard = session.Now;
        }

        Flush();
        RepairIfBehind();
        // Events do not name their log, and without its name a rebuilt one would go unnoticed.
        if (_log.Epoch is null && !IsCatchingUp)
        {
            AskForReplay();
        }
    }

    public void OnAck(WireFrame frame)
    {
        var seq = frame.Seq!.Value;
        var duplicate = frame.Duplicate ?? false;
        session.Outbox.Accept(new Accepted(
            Name, frame.Nonce!, frame.Id!, seq, frame.Epoch, ServerFrameReader.ToTime(frame.Timestamp)!.Value, duplicate));
        // A repeat is answered with the place it got at first, which may be in a log that is no more.
        if (duplicate && (_log.Epoch is null || frame.Epoch != _log.Epoch))
        {
            return;
        }

        if (_log.Last is null && !Name.IsRoom)
        {
            _log.Reset(frame.Epoch, seq - 1);
        }

        if (_log.Last is null || _log.IsFormer(frame.Epoch!))
        {
            return;
        }

        if (_log.IsForeign(frame.Epoch!))
        {
            Check();
        }
        else
        {
            Expect(seq);
        }
    }

    public void OnJoined(WireFrame frame)
    {
        if (!Seat.IsWanted)
        {
            return;
        }

        _joined = new RoomJoined(
            Name, frame.Epoch!, frame.Seq!.Value, frame.Members!, frame.Count!.Value, frame.Typing!, frame.Read!.Value);
        Seat.Take(_joined);
        Reads.Known(frame.Read.Value);
        Place(frame.Epoch!, frame.Seq.Value, replayFollows: _joinHadCursor);
        Flush();
        session.Outbox.Pump(Name);
        Reads.Send();
    }

    public void OnResumed(WireFrame frame)
    {
        IsCatchingUp = false;
        Place(frame.Epoch!, frame.Head!.Value, replayFollows: false);
        Flush();
    }

    /// <summary>There is no replay to be had: looks for missed events in history.</summary>
    public void LookForMissed()
    {
        IsCatchingUp = false;
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
        session.Offer(new DurableMoved(Name, seq));
        if (_log.Last is not null)
        {
            Expect(seq);
        }
    }

    public Task DurableAsync(Accepted accepted) => accepted.Epoch is not null && _log.Epoch is not null && accepted.Epoch != _log.Epoch
        ? Task.FromException(new ChatException(ChatFaults.EpochChanged, "The event was accepted into a log that has been rebuilt since."))
        : _durable.WaitAsync(accepted.Seq);

    /// <summary>The overview says that a direct conversation reaches this far.</summary>
    public void Expected(long head)
    {
        if (_log.Last is null || head <= _log.Last || IsCatchingUp)
        {
            return;
        }

        _log.Expect(head);
        AskForReplay();
    }

    /// <summary>The server does not know this connection as joined to the room.</summary>
    public void OnNotJoined()
    {
        Seat.Lose();
        if (Seat.IsWanted)
        {
            SendJoin();
        }
        else
        {
            session.Outbox.Fail(Name, new ChatException(ErrorCodes.NotJoined, $"{Name} is not joined."));
        }
    }

    /// <summary>Nothing more comes on this connection.</summary>
    public void OnDown()
    {
        Seat.Down();
        IsCatchingUp = false;
        _lateAt = null;
        _unconfirmed = _log.Last is not null;
        _log.OnDown();
        Reads.Down();
    }

    /// <summary>The conversation is followed no longer.</summary>
    public void Drop(ChatException reason)
    {
        Generation++;
        session.Outbox.Fail(Name, reason);
        _durable.Fail(reason);
        Seat.Drop(reason);
    }

    public void Tick()
    {
        var now = session.Now;
        if (Seat.AskAgainAt <= now && session.IsConnected)
        {
            if (Seat.Leaving is not null)
            {
                session.SendLeave(this);
            }
            else if (Seat.IsWanted)
            {
                SendJoin();
            }
        }
        if (IsCatchingUp && now - _replayHeard >= session.Options.LateAfter * 2)
        {
            LookForMissed();
        }

        if (_lateAt <= now)
        {
            _lateAt = null;
            RepairIfBehind();
        }
        Reads.Tick();
    }

    /// <summary>What history says of the events after <paramref name="after"/>. True when it brought the missing ones nearer.</summary>
    /// <param name="after">What it was asked; events may have come since, so the answer's head says nothing about the present
    /// place.</param>
    public bool OnPage(long after, string epoch, long head, IReadOnlyList<WireFrame> items)
    {
        if (_log.IsFormer(epoch))
        {
            return false;
        }

        List<ChatEvent> events = [.. items.OrderBy(item => item.Seq).Select(item => ServerFrameReader.ToEvent(item, Name, epoch))];
        if (_log.IsTooShort(head) || events.Exists(_log.IsContradictedBy))
        {
            Reload(epoch, head);
            Flush();
            return true;
        }

        if (_log.IsForeign(epoch) && _epochQuestions++ < EpochQuestions)
        {
            // Frames of the old log may still be on their way here. The socket's own answer comes behind them.
            _unconfirmed = true;
            AskForReplay();
            return true;
        }
        if (_log.IsForeign(epoch) || head < after)
        {
            Reload(epoch, head);
            Flush();
            return true;
        }
        Confirm();
        var (before, reachedBefore) = (_log.Last, _log.Peek()?.Seq);
        _check = false;
        _log.Expect(head);
        events.ForEach(Take);

        Flush();
        return _log.Last > before || _log.Peek()?.Seq != reachedBefore || !IsBehind;
    }

    /// <summary>History does not have what is missing, however often it is asked.</summary>
    public void GiveUp(long head)
    {
        _check = false;
        Confirm();
        if (_log.Skip(head) is { } gap)
        {
            ClientMetrics.Gaps.Add(gap.To - gap.From + 1);
            _notice = new Gap(Name, gap.From, gap.To);
        }
        else
        {
            _log.ExpectNoMore();
        }
        Flush();
    }

    /// <summary>Hands out what is ready, in order, as far as the application's buffer has room.</summary>
    public void Flush()
    {
        if (_joined is not null && session.Items.TryAdd(_joined))
        {
            _joined = null;
        }

        if (_joined is not null || (_notice is not null && !session.Items.TryAdd(_notice)))
        {
            return;
        }

        _notice = null;
        while (Next is { } e && session.Items.TryAdd(e.Epoch is null && _log.Epoch is not null ? e with { Epoch = _log.Epoch } : e))
        {
            _log.Delivered();
        }
    }

    public void RepairIfBehind()
    {
        if (IsBehind && !IsCatchingUp && !IsParked && !session.Items.IsFull)
        {
            session.StartRepair(this);
        }
    }

    private void Take(ChatEvent e)
    {
        // The own copy says all that its acknowledgement says, and comes without it when that was lost with a connection.
        if (e.Nonce is not null && e.From == session.User && !_unconfirmed)
        {
            session.Outbox.Accept(new Accepted(Name, e.Nonce, e.Id, e.Seq, e.Epoch, e.Timestamp, Duplicate: false));
        }

        switch (_log.Arrive(e))
        {
            case Arrival.Known:
                ClientMetrics.Repeats.Add(1);
                break;
            case Arrival.Conflict:
                session.Fault(ChatFaults.EpochChanged, $"seq {e.Seq} came with another event than before", Name);
                Check();
                break;
        }
    }

    private void Expect(long seq)
    {
        _log.Expect(seq);
        if (!_log.IsBehind || _lateAt is not null)
        {
            return;
        }

        _lateAt = session.Now + session.Options.LateAfter;
        session.WakeAt(_lateAt.Value);
    }

    private void Confirm()
    {
        (_unconfirmed, _epochQuestions) = (false, 0);
        if (_durable.Release() is > 0 and var durable)
        {
            OnDurable(durable);
        }
    }

    private void Place(string epoch, long head, bool replayFollows)
    {
        if (_log.IsTooShort(head))
        {
            // A node that lags behind, or another log: history knows which.
            IsCatchingUp = false;
            Check();
            return;
        }
        if (_log.IsForeign(epoch))
        {
            _durable.Release();
        }

        Confirm();
        if (_log.Last is null)
        {
            _log.Reset(epoch, head);
        }
        else if (_log.IsForeign(epoch))
        {
            Reload(epoch, head);
        }
        else if (head < _log.Last)
        {
            // A node that lags behind, or a log that was rolled back: history knows which.
            IsCatchingUp = false;
            Check();
        }
        else
        {
            _log.Expect(head);
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
        _log.Reset(epoch, head);
        _durable.Fail(new ChatException(ChatFaults.EpochChanged, "The conversation's log was rebuilt."));
        Confirm();
        _check = false;
        _lateAt = null;
        IsCatchingUp = false;
        _notice = new Reloaded(Name, epoch, head);
    }

    /// <summary>
    /// Asks for what follows the place in the log, and with it for the log's name. Without a connection the next one asks by itself.
    /// </summary>
    public void AskForReplay()
    {
        if (session.Send(ClientFrames.Resume([(Name, Cursor!.Value)], session.NewReference([this]))))
        {
            CatchUp();
        }
    }
}
