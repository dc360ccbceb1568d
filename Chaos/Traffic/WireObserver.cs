using System.Text.Json;
using AspireChat.Chaos.Ledgers;
using AspireChat.Client;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;

namespace AspireChat.Chaos.Traffic;

/// <summary>
/// Watches rooms without the client library, which would hide events that a faulty server sent out of order or left out. Each connection
/// must get each room's events in seq order without a gap or a repeat, exactly as the protocol says. The observer also sends bursts without
/// waiting for answers, which tests the order of one connection's sends.
/// </summary>
internal sealed class WireObserver(Uri gateway, string token, ChatClient http, string user, IReadOnlyList<string> rooms, Traffic traffic)
{
    public const string Resumed = "resumed on the wire";

    public const string ResumedAfterKill = "resumed on the wire after kill -9 of a replica";

    private const int Burst = 6;

    private static readonly TimeSpan BurstPause = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Unanswered = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, MemberView> _views = rooms.ToDictionary(
        room => room, room => traffic.Ledger.View(user, ConversationKey.Room(room).Value));

    private readonly Lock _lock = new();

    /// <summary>Sends without an ack: their connection, their number on it (-1 for a repeat), and when they were sent last.</summary>
    private readonly Dictionary<string, (string Room, int Connection, int Number, long At)> _waiting = [];

    private readonly UndurableSends _undurable = new();

    /// <summary>Nonces that were acknowledged and are sent again because a wipe took them.</summary>
    private readonly HashSet<string> _again = [];

    private readonly Dictionary<string, (int Number, long Seq, string Epoch)> _lastAck = [];
    private readonly HashSet<string> _live = [];

    /// <summary>Rooms whose log this connection does not know yet. A <c>durable</c> says nothing about them.</summary>
    private readonly HashSet<string> _reloading = [];
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RawSocket? _socket;
    private int _connection;
    private int _sent;
    private long? _lostAt;
    private string _lostBy = "";

    public Task Begun => _begun.Task;

    public IReadOnlyCollection<MemberView> Views => _views.Values;

    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Connects, and reconnects after each loss, until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                using (var socket = await RawSocket.ConnectAsync(gateway, token, stop))
                {
                    if (socket is not null)
                    {
                        await ServeAsync(socket, stop);
                    }
                }
                stop.ThrowIfCancellationRequested();
                if (_lostAt is null)
                {
                    (_lostAt, _lostBy) = (TimeProvider.System.GetTimestamp(), traffic.Fault());
                }

                await Task.Delay(ReconnectPause, TimeProvider.System, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    /// <summary>Sends bursts until stopped. Then it repeats unanswered sends until all are answered.</summary>
    public async Task SendAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            while (!stop.IsCancellationRequested || Waiting > 0)
            {
                await Task.Delay(BurstPause, TimeProvider.System, abort);
                if (_socket is { } socket)
                {
                    await SendBurstAsync(socket, _connection, fresh: !stop.IsCancellationRequested);
                }
            }
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            // The run reports the sends that are not answered by now.
        }
    }

    private async Task SendBurstAsync(RawSocket socket, int connection, bool fresh)
    {
        List<(string Nonce, string Room)> frames = [];
        lock (_lock)
        {
            var now = TimeProvider.System.GetTimestamp();
            foreach (var (nonce, send) in _waiting.ToList())
            {
                // It is repeated on every new connection and when no answer comes. A repeat is out of order, so it loses its number.
                var underWay = send.Connection == connection && TimeProvider.System.GetElapsedTime(send.At) < Unanswered;
                if (underWay || !_live.Contains(send.Room))
                {
                    continue;
                }

                _waiting[nonce] = send with { Connection = connection, Number = -1, At = now };
                frames.Add((nonce, send.Room));
            }
            for (var i = 0; fresh && i < Burst; i++)
            {
                var room = rooms[_sent / Burst % rooms.Count];
                if (!_live.Contains(room))
                {
                    break;
                }

                var nonce = $"{user}-{_sent++}";
                _waiting.Add(nonce, (room, connection, _sent, now));
                frames.Add((nonce, room));
            }
        }
        foreach (var (nonce, room) in frames)
        {
            if (!await socket.SendAsync(new { type = "room", room, content = nonce + " burst", nonce }))
            {
                return;
            }
        }
    }

    private async Task ServeAsync(RawSocket socket, CancellationToken stop)
    {
        lock (_lock)
        {
            _connection++;
            _live.Clear();
            _reloading.UnionWith(rooms);
            _lastAck.Clear();
        }
        _socket = socket;
        try
        {
            foreach (var room in rooms)
            {
                await JoinAsync(socket, room);
            }

            while (await socket.ReadAsync(stop) is { } frame)
            {
                await TakeAsync(socket, frame, stop);
            }
        }
        finally
        {
            _socket = null;
        }
    }

    private Task<bool> JoinAsync(RawSocket socket, string room)
    {
        var view = _views[room];
        // The protocol has two ways to resume, and both are used.
        if (!view.Begun)
        {
            return socket.SendAsync(new { type = "join", room, @ref = room });
        }

        if (_connection % 2 == 0)
        {
            return socket.SendAsync(new { type = "join", room, since = view.Last, epoch = view.Epoch, @ref = room });
        }

        var place = new { room, since = view.Last, epoch = view.Epoch };
        return socket.SendAsync(new { type = "resume", conversations = new[] { place }, @ref = room });
    }

    private async Task TakeAsync(RawSocket socket, JsonElement frame, CancellationToken stop)
    {
        var type = frame.GetProperty("type").GetString();
        var room = frame.TryGetProperty("room", out var named) ? named.GetString() : null;
        switch (type)
        {
            case "joined" when !_views[room!].Begun:
                _views[room!].Begin(frame.GetProperty("epoch").GetString(), frame.GetProperty("seq").GetInt64());
                Live(room!);
                break;
            case "room" or "edit" or "delete" or "react":
                Event(room!, frame);
                break;
            case "resumed":
                await ResumedAsync(room!, frame, stop);
                Live(room!);
                break;
            case "ack":
                Acknowledged(room!, frame);
                break;
            case "durable" when !_reloading.Contains(room!):
                var durable = frame.GetProperty("seq").GetInt64();
                traffic.Ledger.Durable(_views[room!].Conversation, _views[room!].Epoch, durable);
                _undurable.Committed(Conversation.Room(room!), _views[room!].Epoch, durable);
                break;
            case "error" when frame.TryGetProperty("ref", out var reference) && _views.ContainsKey(reference.GetString()!):
                await Task.Delay(ReconnectPause, TimeProvider.System, stop);
                await JoinAsync(socket, reference.GetString()!);
                break;
            case "error" when frame.TryGetProperty("nonce", out var nonce):
                Refused(nonce.GetString()!, frame.GetProperty("code").GetString()!);
                break;
        }
    }

    private void Event(string room, JsonElement frame)
    {
        // The content identifies a message only if it was not edited.
        var asSent = frame.GetProperty("type").GetString() == "room" && !frame.TryGetProperty("edited", out _);
        var content = asSent ? frame.GetProperty("content").GetString() : null;
        var key = content is { Length: > 0 } ? content.Split(' ')[0] : null;
        _views[room].Deliver(null, frame.GetProperty("seq").GetInt64(), frame.GetProperty("id").GetGuid(), key);
    }

    private async Task ResumedAsync(string room, JsonElement frame, CancellationToken stop)
    {
        var view = _views[room];
        var (seq, head) = (frame.GetProperty("seq").GetInt64(), frame.GetProperty("head").GetInt64());
        var epoch = frame.GetProperty("epoch").GetString()!;
        if (epoch != view.Epoch)
        {
            await HistoryRepair.ReloadAsync(http, Conversation.Room(room), view, epoch, head, stop);
            SendLostAgain(room, epoch);
        }
        else if (frame.GetProperty("complete").GetBoolean())
        {
            if (view.Last != head)
            {
                traffic.Ledger.Findings.Add(Breach.SilentGap, $"{view}: resumed completely up to {head}, but {view.Last} was the last seq");
            }
        }
        else if (seq == 0 && view.Last > 0)
        {
            traffic.Ledger.Findings.Add(Breach.ToldWithoutCause, $"{view}: told to reload the same log, at {view.Last} of {head}");
        }
        else
        {
            if (seq != view.Last)
            {
                traffic.Ledger.Findings.Add(Breach.SilentGap, $"{view}: resumed up to {seq}, but the last event was {view.Last}");
            }

            await HistoryRepair.FillAsync(http, Conversation.Room(room), view, view.Last + 1, head, stop);
        }
    }

    private void SendLostAgain(string room, string present)
    {
        lock (_lock)
        {
            foreach (var lost in _undurable.TakeLost(Conversation.Room(room), present))
            {
                _again.Add(lost.Nonce);
                _waiting.TryAdd(lost.Nonce, (room, -1, -1, 0));
            }
        }
    }

    private void Live(string room)
    {
        lock (_lock)
        {
            _live.Add(room);
            _reloading.Remove(room);
        }
        if (_live.Count < rooms.Count)
        {
            return;
        }

        _begun.TrySetResult();
        if (_lostAt is not { } lost)
        {
            return;
        }

        var time = TimeProvider.System.GetElapsedTime(lost);
        traffic.Durations.Add(Resumed, time);
        if (_lostBy == "kill connection")
        {
            traffic.Durations.Add(ResumedAfterKill, time);
        }

        _lostAt = null;
    }

    private void Acknowledged(string room, JsonElement frame)
    {
        var nonce = frame.GetProperty("nonce").GetString()!;
        var (seq, epoch) = (frame.GetProperty("seq").GetInt64(), frame.GetProperty("epoch").GetString()!);
        lock (_lock)
        {
            // The send was answered already, and this answers its repeat.
            if (!_waiting.Remove(nonce, out var send))
            {
                return;
            }

            var (conversation, id, hash) = (_views[room].Conversation, frame.GetProperty("id").GetGuid(), ContentHash.Of(nonce + " burst"));
            var ack = new Acknowledged(conversation, epoch, seq, id, user, nonce, hash, -1);
            var isRepeat = frame.TryGetProperty("duplicate", out var duplicate) && duplicate.GetBoolean();
            if (_again.Contains(nonce))
            {
                traffic.Ledger.AcknowledgeAgain(ack);
            }
            else
            {
                traffic.Ledger.Acknowledge(ack);
            }

            if (!_again.Contains(nonce) || !isRepeat)
            {
                _undurable.Add(Conversation.Room(room), new UndurableSend(nonce, "", epoch, seq));
            }
            // This answer comes from a log that this connection knows to have ended.
            if (traffic.Ledger.IsWiped(epoch) && _views[room].Epoch != epoch && !isRepeat)
            {
                SendLostAgain(room, _views[room].Epoch!);
            }

            if (send.Number < 0)
            {
                return;
            }

            if (_lastAck.TryGetValue(room, out var last) && last.Epoch == epoch && send.Number > last.Number != seq > last.Seq)
            {
                var text = $"{_views[room]}: {nonce} is send {send.Number} and got {seq}, but send {last.Number} got {last.Seq}";
                traffic.Ledger.Findings.Add(Breach.Inverted, text);
            }
            _lastAck[room] = (send.Number, seq, epoch);
        }
    }

    private void Refused(string nonce, string code)
    {
        lock (_lock)
        {
            if (!_waiting.TryGetValue(nonce, out var send))
            {
                return;
            }

            if (code is ErrorCodes.Unavailable or ErrorCodes.RateLimited or ErrorCodes.NotJoined)
            {
                _waiting[nonce] = send with { Connection = -1, Number = -1 };
                return;
            }
            _waiting.Remove(nonce);
            traffic.Ledger.Findings.Add(Breach.Unanswered, $"{nonce}: refused with {code}");
        }
    }
}
