using System.Text;
using System.Text.Json;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>
/// A user's device: connects, joins, sends, loses its connection and resumes with its cursors. It believes nothing: every frame is checked
/// against what the protocol promises (order, no gap, no repeat, snapshot and live meet exactly) and against the log itself.
/// </summary>
internal sealed class SimulatedClient(string user, SimulatedLog log, int outboundBytes)
{
    private readonly Dictionary<string, RoomView> _rooms = [];
    private readonly Dictionary<string, DirectView> _directs = [];
    private SimulatedOutbound? _outbound;
    private bool _welcomed;
    private int _opened;

    public string User => user;

    public SimulatedNode? Node { get; private set; }

    public Connection? Connection { get; private set; }

    public bool IsConnected => Connection is not null;

    public bool IsReady => _welcomed && Connection is { IsClosed: false };

    public bool CanRead => _outbound is { HasFrames: true };

    /// <summary>The server has closed the connection.</summary>
    public bool IsRefused => _outbound is { CloseCode: not 0, HasFrames: false };

    public int Closes { get; private set; }

    /// <summary>Of these, for being too slow.</summary>
    public int TooSlow { get; private set; }

    public int Events { get; private set; }

    public IEnumerable<string> JoinedRooms => _rooms.Where(room => room.Value.State == RoomState.Live).Select(room => room.Key);

    public void Connect(SimulatedNode node)
    {
        Node = node;
        _outbound = new SimulatedOutbound(outboundBytes);
        _welcomed = false;
        Connection = new Connection($"{user}-{++_opened}", user, _outbound, long.MaxValue)
        {
            Welcome = OutboundFrame.Of("{\"type\":\"welcome\"}"u8),
        };
        node.Post(node.HubOfUser(user), new HubMessage.Opened(Connection));
    }

    public void Disconnect()
    {
        TooSlow += _outbound!.CloseCode == CloseCodes.TooSlow ? 1 : 0;
        Connection!.MarkClosed();
        Node!.PostToAll(new HubMessage.Closed(Connection));
        Connection = null;
        _outbound = null;
        _welcomed = false;
        Closes++;
        foreach (var room in _rooms.Values)
        {
            room.State = RoomState.Out;
        }

        foreach (var direct in _directs.Values)
        {
            // Asked again below, from the last event that is known to be without a gap.
            direct.Resuming = direct.Resumed = false;
            direct.LiveEpoch = null;
            direct.Places = [(null, 0)];
        }
    }

    /// <summary>Joins; with cursors when the room was joined before. Not while another join or leave is under way.</summary>
    public void Join(string room)
    {
        if (!_rooms.TryGetValue(room, out var view))
        {
            _rooms.Add(room, view = new RoomView());
        }

        if (view.State is RoomState.Joining or RoomState.Leaving or RoomState.Replaying)
        {
            return;
        }

        var pass = view.State == RoomState.Live ? Connection!.Rooms.GetValueOrDefault(room) : new RoomPass();
        if (pass is null)
        {
            return;
        }

        Connection!.Rooms[room] = pass;
        long? since = view.State == RoomState.Live ? null : view.Wanted ? view.Next - 1 : null;
        view.Rejoining = view.State == RoomState.Live;
        view.State = RoomState.Joining;
        view.Since = since;
        view.HeadWhenAsked = log.HeadOf(ConversationKey.Room(room));
        view.EpochWhenAsked = log.Epoch;
        Node!.Post(Node.HubOfRoom(room),
            new HubMessage.Join(Connection, room, pass, since, since is null ? null : view.Epoch, Ref("join", room)));
    }

    public void Leave(string room)
    {
        if (!_rooms.TryGetValue(room, out var view) || view.State != RoomState.Live)
        {
            return;
        }

        view.State = RoomState.Leaving;
        var pass = new RoomPass();
        Connection!.Rooms[room] = pass;
        Node!.Post(Node.HubOfRoom(room), new HubMessage.Leave(Connection, room, pass, Ref("leave", room)));
    }

    public void ResumeDirect(string other)
    {
        var direct = DirectOf(other);
        if (direct.Resuming)
        {
            return;
        }

        direct.Resuming = true;
        direct.Since = direct.Contiguous;
        direct.Places = [.. direct.Places.Select(place => (place.Live, direct.Since))];
        Node!.Post(Node.HubOfUser(user),
            new HubMessage.ResumeDirect(Connection!, other, direct.Since, direct.Since == 0 ? null : direct.Epoch, Ref("resume", other)));
    }

    /// <summary>Comes back as a client does: resumes everything that it knows.</summary>
    public void ResumeAll()
    {
        foreach (var (room, view) in _rooms)
        {
            if (view.Wanted)
            {
                Join(room);
            }
        }
        foreach (var other in _directs.Keys)
        {
            ResumeDirect(other);
        }
    }

    /// <summary>Reads one frame and checks it.</summary>
    public void Read()
    {
        var text = _outbound!.Read();
        using var json = JsonDocument.Parse(text);
        var frame = json.RootElement;
        var type = frame.GetProperty("type").GetString()!;
        if (type != "welcome")
        {
            Check(_welcomed, "a frame before welcome", text);
        }

        switch (type)
        {
            case "welcome":
                _welcomed = true;
                ResumeAll();
                break;
            case "joined":
                Joined(RoomOf(frame), frame, text);
                break;
            case "room":
                RoomEvent(RoomOf(frame), frame, text);
                break;
            case "resumed" when frame.TryGetProperty("room", out _):
                RoomResumed(RoomOf(frame), frame, text);
                break;
            case "left":
                Left(RoomOf(frame), asked: frame.TryGetProperty("ref", out _), text);
                break;
            case "dm":
                DirectEvent(frame, text);
                break;
            case "resumed":
                DirectResumed(frame, text);
                break;
            case "error" when frame.GetProperty("code").GetString() == ErrorCodes.Unavailable && !frame.TryGetProperty("nonce", out _):
                Unavailable(frame.GetProperty("ref").GetString()!.Split(' '));
                break;
            case "ack" or "error" or "durable":
                break;
            default:
                Check(false, "an unexpected frame", text);
                break;
        }
    }

    /// <summary>When everything has come to rest: nothing is missing at the end either.</summary>
    public void CheckComplete()
    {
        foreach (var (room, view) in _rooms)
        {
            if (view.State == RoomState.Live)
            {
                Check(view.Next - 1 == log.HeadOf(ConversationKey.Room(room)),
                    $"{room} ended at {view.Next - 1} instead of {log.HeadOf(ConversationKey.Room(room))}", null);
            }

            Check(view.State is RoomState.Live or RoomState.Out, $"{room} is still {view.State}", null);
        }
        foreach (var (other, direct) in _directs)
        {
            if (!direct.Resumed)
            {
                continue;
            }

            var head = log.HeadOf(ConversationKey.Direct(user, other));
            Check(direct.Contiguous == head, $"dm with {other} ended at {direct.Contiguous} instead of {head}", null);
        }
    }

    private void Joined(RoomView view, JsonElement frame, byte[] text)
    {
        Check(view.State == RoomState.Joining, $"joined while {view.State}", text);
        var seq = frame.GetProperty("seq").GetInt64();
        var epoch = frame.GetProperty("epoch").GetString()!;
        var key = ConversationKey.Room(frame.GetProperty("room").GetString()!);
        Check(frame.GetProperty("members").EnumerateArray().Any(member => member.GetString() == user), "not a member of the own snapshot",
            text);
        if (epoch == log.Epoch)
        {
            Check(seq <= log.HeadOf(key), "a snapshot of the future", text);
        }

        if (view.Rejoining)
        {
            Check(seq == view.Next - 1 && epoch == view.Epoch, $"joined again, but at {view.Next - 1} before", text);
            view.State = RoomState.Live;
            return;
        }
        if (epoch == view.EpochWhenAsked)
        {
            Check(seq >= view.HeadWhenAsked, $"a snapshot older than the join, which came at {view.HeadWhenAsked}", text);
        }

        view.SnapshotHead = seq;
        view.KnownEpoch = view.Since is null ? epoch : view.Epoch;
        view.Epoch = epoch;
        view.Wanted = true;
        view.State = view.Since is null ? RoomState.Live : RoomState.Replaying;
        view.Next = (view.Since ?? seq) + 1;
    }

    private void RoomEvent(RoomView view, JsonElement frame, byte[] text)
    {
        var seq = frame.GetProperty("seq").GetInt64();
        Events++;
        Check(view.State is RoomState.Live or RoomState.Replaying or RoomState.Leaving
            || (view.State == RoomState.Joining && view.Rejoining),
            $"an event while {view.State}", text);
        Check(seq == view.Next, $"seq {seq} instead of {view.Next}", text);
        if (view.State == RoomState.Replaying)
        {
            Check(seq <= view.SnapshotHead, $"replayed beyond the snapshot at {view.SnapshotHead}", text);
        }

        CheckIdentity(ConversationKey.Room(frame.GetProperty("room").GetString()!), view.Epoch, seq, frame, text);
        view.Next++;
    }

    private void RoomResumed(RoomView view, JsonElement frame, byte[] text)
    {
        var (seq, head, complete, epoch) = Resumed(frame);
        var sameEpoch = epoch == view.Epoch;
        if (view.State == RoomState.Replaying)
        {
            var unknown = view.KnownEpoch != epoch || view.Since > view.SnapshotHead;
            Check(seq == 0 && !complete ? unknown || view.Since == 0 : seq == view.Next - 1,
                $"resumed at {seq}, replayed to {view.Next - 1}", text);
            Check(!complete || seq == view.SnapshotHead, "complete before the snapshot", text);
            Check(!sameEpoch || head == view.SnapshotHead, $"another head than the snapshot's {view.SnapshotHead}", text);
            view.State = RoomState.Live;
        }
        else
        {
            // Unasked: the log was rebuilt, or no longer holds what was missed.
            Check(!complete && (sameEpoch ? seq == view.Next - 1 : seq == 0), "a resumed that nobody asked for", text);
        }
        view.Epoch = epoch;
        view.Next = head + 1;
    }

    private void Left(RoomView view, bool asked, byte[] text)
    {
        Check(asked || view.State != RoomState.Out, "left, but was not in", text);
        // Another device left first; the answer to this one's own leave is still to come. And a join that was asked for meanwhile stands.
        view.Gone = view.State is RoomState.Leaving && !asked;
        if (view.Gone || (view.State is RoomState.Joining && !view.Rejoining))
        {
            return;
        }

        view.Wanted = view.State is RoomState.Joining;
        view.State = view.State is RoomState.Joining ? RoomState.Joining : RoomState.Out;
        view.Rejoining = false;
    }

    private void Unavailable(string[] request)
    {
        if (request[0] == "resume")
        {
            DirectOf(request[1]).Resuming = false;
            return;
        }
        var view = _rooms[request[1]];
        if (view.State is RoomState.Joining or RoomState.Leaving)
        {
            view.State = !view.Gone && (view.Rejoining || request[0] == "leave") ? RoomState.Live : RoomState.Out;
        }

        view.Gone = false;
    }

    private void DirectEvent(JsonElement frame, byte[] text)
    {
        var from = frame.GetProperty("from").GetString()!;
        var other = from == user ? frame.GetProperty("to").GetString()! : from;
        var direct = DirectOf(other);
        var seq = frame.GetProperty("seq").GetInt64();
        Events++;
        // The first event does not say its epoch.
        direct.LiveEpoch ??= log.EpochOf(frame.GetProperty("id").GetGuid());
        direct.Epoch ??= direct.LiveEpoch;
        CheckIdentity(ConversationKey.Direct(user, other), direct.LiveEpoch, seq, frame, text);
        var before = direct.Places;
        direct.Places = [];
        foreach (var (live, replay) in before)
        {
            if (live is null || seq == live + 1)
            {
                direct.Places.Add((seq, replay));
            }

            if (direct.Resuming && seq == replay + 1)
            {
                direct.Places.Add((live, seq));
            }
        }
        Check(direct.Places.Count > 0, $"seq {seq} while at {string.Join(" or ", before)}", text);
        direct.Seen.Add((direct.LiveEpoch, seq));
    }

    private void DirectResumed(JsonElement frame, byte[] text)
    {
        var direct = DirectOf(frame.GetProperty("to").GetString()!);
        var (seq, head, complete, epoch) = Resumed(frame);
        var restarted = epoch != (direct.LiveEpoch ?? epoch);
        if (direct.Resuming && !restarted && frame.TryGetProperty("ref", out _))
        {
            Check((seq == 0 && !complete) || direct.Places.Any(place => place.Replay == seq),
                $"resumed at {seq} while at {string.Join(" or ", direct.Places)}", text);
            Check(!complete || seq == head, "complete before the head", text);
        }
        if (!complete)
        {
            // Fetches the rest over HTTP.
            for (var i = 1; i <= head; i++)
            {
                direct.Seen.Add((epoch, i));
            }
        }
        direct.Epoch = direct.LiveEpoch = epoch;
        if (!frame.TryGetProperty("ref", out _))
        {
            // Unasked: the log was rebuilt, or no longer holds what was missed.
            Check(!complete, "a resumed that nobody asked for", text);
            direct.Places = [.. direct.Places.Select(place => ((long?)head, place.Replay))];
            return;
        }
        Check(direct.Resuming, "an answer to nothing", text);
        direct.Resuming = false;
        direct.Resumed = true;
        // Live goes on behind the head, or behind what has come live meanwhile.
        direct.Places = [.. direct.Places.Where(place => restarted || seq == 0 || place.Replay == seq)
            .Select(place => ((long?)(restarted ? head : Math.Max(place.Live ?? 0, head)), 0L))];
    }

    private void CheckIdentity(ConversationKey key, string epoch, long seq, JsonElement frame, byte[] text) =>
        Check(log.IdOf(key, epoch, seq) == frame.GetProperty("id").GetGuid(), $"not the event that the log has at {epoch}/{seq}", text);

    private void Check(bool promise, string fault, byte[]? text)
    {
        if (!promise)
        {
            throw new BrokenPromiseException($"{Connection?.Id ?? user}: {fault}. {(text is null ? "" : Encoding.UTF8.GetString(text))}");
        }
    }

    private static RawJson? Ref(string what, string about) => RawJson.Of($"\"{what} {about}\"");

    private RoomView RoomOf(JsonElement frame) => _rooms[frame.GetProperty("room").GetString()!];

    private DirectView DirectOf(string other)
    {
        if (!_directs.TryGetValue(other, out var direct))
        {
            _directs.Add(other, direct = new DirectView());
        }

        return direct;
    }

    private static (long Seq, long Head, bool Complete, string Epoch) Resumed(JsonElement frame) => (
        frame.GetProperty("seq").GetInt64(), frame.GetProperty("head").GetInt64(), frame.GetProperty("complete").GetBoolean(),
        frame.GetProperty("epoch").GetString()!);
}

/// <summary>A connection saw what the protocol says it never sees.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
