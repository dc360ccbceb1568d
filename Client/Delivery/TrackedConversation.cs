using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Delivery;

/// <summary>
/// One conversation of a session: its log, the user's seat in the room, and what the user tells the others. It asks the server on behalf of
/// its parts. Not thread-safe: the session calls it inside its gate.
/// </summary>
internal sealed class TrackedConversation : ILogSource
{
    private readonly IDeliveryHost _session;

    /// <summary>The request that the next <c>joined</c> answers asked for a replay too.</summary>
    private bool _replayFollowsJoin;

    public TrackedConversation(Conversation name, IDeliveryHost session)
    {
        _session = session;
        Name = name;
        Seat = new RoomSeat(name);
        Reads = new ReadReceipts(name, session);
        Typing = new TypingNotice(name, session);
        Log = new FollowedLog(name, session, this);
    }

    public Conversation Name { get; }

    public FollowedLog Log { get; }

    public RoomSeat Seat { get; }

    public ReadReceipts Reads { get; }

    public TypingNotice Typing { get; }

    /// <summary>A repair of this conversation is running.</summary>
    public bool IsRepairing { get; set; }

    public bool IsReady => _session.IsConnected && (!Name.IsRoom || Seat.IsJoined);

    /// <summary>Asks to join the room, and for a replay if the place in its log is known.</summary>
    public void SendJoin()
    {
        var cursor = Log.Cursor;
        _replayFollowsJoin = cursor is not null;
        Seat.AskAgainAt = _session.Now + _session.Options.AckTimeout;
        if (_session.Send(ClientFrames.Join(Name.RoomId!, cursor, _session.NewReference([this]))) && cursor is not null)
        {
            OnReplayAsked();
        }
    }

    /// <summary>A frame that asks for the replay of this conversation was sent.</summary>
    public void OnReplayAsked()
    {
        _replayFollowsJoin = true;
        Log.Replay.Begin();
    }

    public void OnAck(WireFrame frame)
    {
        var (seq, duplicate) = (frame.Seq!.Value, frame.Duplicate ?? false);
        _session.Outbox.Accept(new SendReceipt(
            Name, frame.Nonce!, frame.Id!, seq, frame.Epoch, ServerFrameReader.ToTime(frame.Timestamp)!.Value, duplicate));
        Log.OnAccepted(seq, frame.Epoch!, duplicate);
    }

    public void OnJoined(WireFrame frame)
    {
        if (!Seat.IsWanted)
        {
            return;
        }

        var snapshot = new RoomJoined(
            Name, frame.Epoch!, frame.Seq!.Value, frame.Members!, frame.Count!.Value, frame.Typing!, frame.Read!.Value)
        {
            Role = frame.Role,
            Visibility = frame.Visibility,
            Sending = frame.Sending,
            Name = frame.Name,
            Topic = frame.Topic,
        };
        Seat.Take(snapshot);
        Reads.Known(frame.Read.Value);
        Log.OnJoined(snapshot, _replayFollowsJoin);
        _session.Outbox.Pump(Name);
        Reads.Send();
    }

    /// <summary>The server says that this connection has not joined the room.</summary>
    public void OnNotJoined()
    {
        Seat.Lose();
        if (Seat.IsWanted)
        {
            SendJoin();
        }
        else
        {
            _session.Outbox.Fail(Name, new ChatException(ErrorCodes.NotJoined, $"{Name} is not joined."));
        }
    }

    /// <summary>Nothing more comes on this connection.</summary>
    public void OnDown()
    {
        Seat.Down();
        Log.OnDown();
        Reads.Down();
    }

    /// <summary>The conversation is no longer followed.</summary>
    public void Drop(ChatException reason)
    {
        _session.Outbox.Fail(Name, reason);
        Log.Drop(reason);
        Seat.Drop(reason);
    }

    public void Tick()
    {
        if (Seat.AskAgainAt <= _session.Now && _session.IsConnected)
        {
            if (Seat.Leaving is not null)
            {
                _session.SendLeave(this);
            }
            else if (Seat.IsWanted)
            {
                SendJoin();
            }
        }
        Log.Tick();
        Reads.Tick();
    }

    /// <inheritdoc/>
    public void AskForReplay()
    {
        if (_session.Send(ClientFrames.Resume([(Name, Log.Cursor!.Value)], _session.NewReference([this]))))
        {
            OnReplayAsked();
        }
    }

    /// <inheritdoc/>
    public void StartRepair() => _session.StartRepair(this);
}
