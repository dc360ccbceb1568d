using System.Text.Json;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>Where a client stands with a room.</summary>
internal enum RoomState
{
    Out,
    Joining,
    Replaying,
    Live,
    Leaving,
}

/// <summary>
/// A room as one client sees it. It checks each frame of the room: only the next seq may come, and live events begin exactly behind the
/// snapshot.
/// </summary>
internal sealed class RoomView(string room, PromiseCheck check)
{
    private readonly ConversationKey _key = ConversationKey.Room(room);

    /// <summary>The room was live when it was joined again.</summary>
    private bool _rejoining;

    /// <summary>Another device left the room while this client's own leave is under way.</summary>
    private bool _gone;

    private long? _since;
    private long _headWhenAsked;
    private string _epochWhenAsked = "";
    private long _snapshotHead;

    /// <summary>The epoch that was sent with <c>since</c>.</summary>
    private string _knownEpoch = "";

    /// <summary>The only seq that may come next.</summary>
    private long _next = 1;

    public RoomState State { get; private set; }

    /// <summary>The client joins the room again after a reconnect.</summary>
    public bool Wanted { get; private set; }

    public string Epoch { get; private set; } = "";

    public bool IsBusy => State is RoomState.Joining or RoomState.Leaving or RoomState.Replaying;

    /// <summary>The client joins. Returns the cursor to send, if there is one.</summary>
    public long? Join()
    {
        _rejoining = State == RoomState.Live;
        _since = Wanted && !_rejoining ? _next - 1 : null;
        State = RoomState.Joining;
        _headWhenAsked = check.Log.HeadOf(_key);
        _epochWhenAsked = check.Log.Epoch;
        return _since;
    }

    public void Leave() => State = RoomState.Leaving;

    public void OnDisconnected() => State = RoomState.Out;

    /// <summary>The server could not do what was asked.</summary>
    public void OnUnavailable(bool isLeave)
    {
        if (State is RoomState.Joining or RoomState.Leaving)
        {
            State = !_gone && (_rejoining || isLeave) ? RoomState.Live : RoomState.Out;
        }

        _gone = false;
    }

    /// <summary>When all traffic has ended, no event is missing.</summary>
    public void CheckComplete()
    {
        if (State == RoomState.Live)
        {
            var head = check.Log.HeadOf(_key);
            check.That(_next - 1 == head, $"{room} ended at {_next - 1} instead of {head}", null);
        }

        check.That(State is RoomState.Live or RoomState.Out, $"{room} is still {State}", null);
    }

    public void OnJoined(JsonElement frame, byte[] text)
    {
        check.That(State == RoomState.Joining, $"joined while {State}", text);
        var seq = frame.GetProperty("seq").GetInt64();
        var epoch = frame.GetProperty("epoch").GetString()!;
        var members = frame.GetProperty("members").EnumerateArray().Select(member => member.GetString());
        check.That(members.Contains(check.User), "the snapshot lacks the user itself", text);
        if (epoch == check.Log.Epoch)
        {
            check.That(seq <= check.Log.HeadOf(_key), "a snapshot of the future", text);
        }

        if (_rejoining)
        {
            check.That(seq == _next - 1 && epoch == Epoch, $"joined again, but at {_next - 1} before", text);
            State = RoomState.Live;
            return;
        }
        if (epoch == _epochWhenAsked)
        {
            check.That(seq >= _headWhenAsked, $"a snapshot older than the join, which came at {_headWhenAsked}", text);
        }

        _snapshotHead = seq;
        _knownEpoch = _since is null ? epoch : Epoch;
        Epoch = epoch;
        Wanted = true;
        State = _since is null ? RoomState.Live : RoomState.Replaying;
        _next = (_since ?? seq) + 1;
    }

    public void OnEvent(JsonElement frame, byte[] text)
    {
        var seq = frame.GetProperty("seq").GetInt64();
        check.That(State is RoomState.Live or RoomState.Replaying or RoomState.Leaving
            || (State == RoomState.Joining && _rejoining),
            $"an event while {State}", text);
        check.That(seq == _next, $"seq {seq} instead of {_next}", text);
        if (State == RoomState.Replaying)
        {
            check.That(seq <= _snapshotHead, $"replayed beyond the snapshot at {_snapshotHead}", text);
        }

        check.Identity(_key, Epoch, seq, frame, text);
        _next++;
    }

    public void OnResumed(JsonElement frame, byte[] text)
    {
        var (seq, head, complete, epoch) = PromiseCheck.Resumed(frame);
        var sameEpoch = epoch == Epoch;
        if (State == RoomState.Replaying)
        {
            var unknown = _knownEpoch != epoch || _since > _snapshotHead;
            check.That(seq == 0 && !complete ? unknown || _since == 0 : seq == _next - 1,
                $"resumed at {seq}, replayed to {_next - 1}", text);
            check.That(!complete || seq == _snapshotHead, "complete before the snapshot", text);
            check.That(!sameEpoch || head == _snapshotHead, $"another head than the snapshot's {_snapshotHead}", text);
            State = RoomState.Live;
        }
        else
        {
            // The hub sends this unasked when the log was rebuilt or no longer holds the missed events.
            check.That(!complete && (sameEpoch ? seq == _next - 1 : seq == 0), "a resumed that was not asked for", text);
        }
        Epoch = epoch;
        _next = head + 1;
    }

    public void OnLeft(bool asked, byte[] text)
    {
        check.That(asked || State != RoomState.Out, "left a room that was not joined", text);
        // Another device may have left first, and the answer to this client's own leave is still to come. A join that is under way stands.
        _gone = State is RoomState.Leaving && !asked;
        if (_gone || (State is RoomState.Joining && !_rejoining))
        {
            return;
        }

        Wanted = State is RoomState.Joining;
        State = State is RoomState.Joining ? RoomState.Joining : RoomState.Out;
        _rejoining = false;
    }
}
