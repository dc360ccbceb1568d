using System.Text.Json;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>
/// A user's device: it connects, joins, loses its connection and resumes with its cursors. It checks every frame against the promises of the
/// protocol (order, no gap, no repeat, live events begin exactly behind the snapshot) and against the log itself.
/// </summary>
internal sealed class SimulatedClient(string user, SimulatedLog log, int outboundBytes)
{
    private readonly PromiseCheck _check = new(user, log);
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

    /// <summary>How many of the closes were for being too slow.</summary>
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
        _check.Connection = Connection.Id;
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
            room.OnDisconnected();
        }

        foreach (var direct in _directs.Values)
        {
            direct.OnDisconnected();
        }
    }

    /// <summary>Joins, with a cursor if the room was joined before. Does nothing while another join or leave is under way.</summary>
    public void Join(string room)
    {
        if (!_rooms.TryGetValue(room, out var view))
        {
            _rooms.Add(room, view = new RoomView(room, _check));
        }

        if (view.IsBusy)
        {
            return;
        }

        var pass = view.State == RoomState.Live ? Connection!.Rooms.GetValueOrDefault(room) : new RoomPass();
        if (pass is null)
        {
            return;
        }

        Connection!.Rooms[room] = pass;
        var since = view.Join();
        Node!.Post(Node.HubOfRoom(room),
            new HubMessage.Join(Connection, room, pass, since, since is null ? null : view.Epoch, Ref("join", room)));
    }

    public void Leave(string room)
    {
        if (!_rooms.TryGetValue(room, out var view) || view.State != RoomState.Live)
        {
            return;
        }

        view.Leave();
        var pass = new RoomPass();
        Connection!.Rooms[room] = pass;
        Node!.Post(Node.HubOfRoom(room), new HubMessage.Leave(Connection, room, pass, Ref("leave", room)));
    }

    public void ResumeDirect(string other)
    {
        var direct = DirectOf(other);
        if (direct.IsResuming)
        {
            return;
        }

        var since = direct.Resume();
        Node!.Post(Node.HubOfUser(user),
            new HubMessage.ResumeDirect(Connection!, other, since, since == 0 ? null : direct.Epoch, Ref("resume", other)));
    }

    /// <summary>Resumes every conversation that the client knows, as a client does after a reconnect.</summary>
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
            _check.That(_welcomed, "a frame before welcome", text);
        }

        switch (type)
        {
            case "welcome":
                _welcomed = true;
                ResumeAll();
                break;
            case "joined":
                RoomOf(frame).OnJoined(frame, text);
                break;
            case "room":
                Events++;
                RoomOf(frame).OnEvent(frame, text);
                break;
            case "resumed" when frame.TryGetProperty("room", out _):
                RoomOf(frame).OnResumed(frame, text);
                break;
            case "left":
                RoomOf(frame).OnLeft(asked: frame.TryGetProperty("ref", out _), text);
                break;
            case "dm":
                Events++;
                var from = frame.GetProperty("from").GetString()!;
                DirectOf(from == user ? frame.GetProperty("to").GetString()! : from).OnEvent(frame, text);
                break;
            case "resumed":
                DirectOf(frame.GetProperty("to").GetString()!).OnResumed(frame, text);
                break;
            case "error" when frame.GetProperty("code").GetString() == ErrorCodes.Unavailable && !frame.TryGetProperty("nonce", out _):
                OnUnavailable(frame.GetProperty("ref").GetString()!.Split(' '));
                break;
            case "ack" or "error" or "durable":
                break;
            default:
                _check.That(false, "an unexpected frame", text);
                break;
        }
    }

    /// <summary>When all traffic has ended, no event is missing.</summary>
    public void CheckComplete()
    {
        foreach (var room in _rooms.Values)
        {
            room.CheckComplete();
        }
        foreach (var direct in _directs.Values)
        {
            direct.CheckComplete();
        }
    }

    /// <param name="request">The words of the ref: what was asked, and about which conversation.</param>
    private void OnUnavailable(string[] request)
    {
        if (request[0] == "resume")
        {
            DirectOf(request[1]).OnUnavailable();
        }
        else
        {
            _rooms[request[1]].OnUnavailable(isLeave: request[0] == "leave");
        }
    }

    private static RawJson? Ref(string what, string about) => RawJson.Of($"\"{what} {about}\"");

    private RoomView RoomOf(JsonElement frame) => _rooms[frame.GetProperty("room").GetString()!];

    private DirectView DirectOf(string other)
    {
        if (!_directs.TryGetValue(other, out var direct))
        {
            _directs.Add(other, direct = new DirectView(other, _check));
        }

        return direct;
    }
}
