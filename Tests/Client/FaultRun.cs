using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;

namespace AspireChat.Tests.Client;

/// <summary>
/// Three clients chat through a server whose faults follow a seed: cuts, closes, lost and doubled frames, skipped seqs, refusals, failing
/// history, half replays and rebuilt logs. In the end the faults stop and traffic settles, and what each client got can be checked. A
/// client of the JavaScript library can be with them in the lobby.
/// </summary>
internal sealed class FaultRun
{
    private static readonly string[] Users = ["alice", "bob", "carol"];
    /// <summary>The user of the JavaScript library.</summary>
    private const string NodeUser = "erin";
    /// <summary>How many times as fast the waits of the JavaScript library pass, to be as short as those of the C# clients here.</summary>
    private const int NodeSpeed = 50;

    private static readonly int[] Closes =
        [1001, CloseStatus.InternalError, CloseCodes.Restart, CloseCodes.TokenExpired, CloseCodes.TooSlow];

    private readonly FaultServer _server;
    private readonly Random _random;
    private readonly List<(string User, JsonObject Frame)> _said = [];
    private bool _isFaulty;

    private FaultRun(FaultServer server, int seed)
    {
        (_server, _random) = (server, new Random(seed));
        server.Script.ReplayLimit = 7;
        server.Script.OnFrame = OnFrame;
        server.Script.OnSay = OnSay;
        server.Script.OnUpgrade = token =>
        {
            SocketsOfNode += token == NodeUser ? 1 : 0;
            return Chance(10) ? 503 : 101;
        };
        server.Script.OnHttp = _ => Chance(10) ? 503 : Chance(5) ? -1 : 200;
        server.Script.OnPage = page =>
        {
            if (Chance(20) && page["items"]!.AsArray() is { Count: > 1 } items)
            {
                items.RemoveAt(items.Count - 1);
            }
        };
    }

    public IReadOnlyList<Transcript> Transcripts { get; private set; } = [];

    /// <summary>
    /// The items of a client without any repair, which gives its application every frame as it comes. The ledger must catch it.
    /// </summary>
    public Transcript Naive { get; private set; } = null!;

    public int Faults { get; private set; }

    /// <summary>How often the client of the JavaScript library connected, or tried to.</summary>
    public int SocketsOfNode { get; private set; }

    public static async Task<FaultRun> PlayAsync(int seed, int steps, bool withNode = false)
    {
        await using var server = await FaultServer.StartAsync();
        var run = new FaultRun(server, seed);
        await using var node = withNode ? await NodeParticipant.StartAsync(server.Address, NodeUser, "lobby", NodeSpeed) : null;
        await run.PlayWithAsync(seed, steps, node);
        return run;
    }

    public LogRecordOfRun LogOf(string user, Conversation conversation)
    {
        lock (_server.Gate)
        {
            var log = _server.Log(conversation.IsRoom ? "r:" + conversation.RoomId : FaultServer.Direct(user, conversation.User));
            var ids = log.Former.ToDictionary(former => former.Epoch, former => (IReadOnlyList<string>)former.Ids);
            ids[log.Epoch] = [.. log.Events.Select(e => (string)e["id"]!)];
            return new LogRecordOfRun(conversation, log.Epoch, ids, [.. log.Nonces]);
        }
    }

    private async Task PlayWithAsync(int seed, int steps, NodeParticipant? node)
    {
        var clients = Users.Select((user, i) => new ChatClient(Clients.Options(_server, user) with
        {
            AckTimeout = TimeSpan.FromMilliseconds(300),
            LateAfter = TimeSpan.FromMilliseconds(40),
            EventBuffer = i == 2 ? 16 : 1_024,
            RepairAttempts = 1_000,
            Random = new Random(seed + i),
        })).ToList();
        var listeners = clients.Select(client => new Listener(client)).ToList();
        try
        {
            foreach (var client in clients)
            {
                await client.ConnectAsync().WaitAsync(FaultServer.Patience);
                await client.JoinAsync("lobby").WaitAsync(FaultServer.Patience);
            }
            lock (_server.Gate)
            {
                _isFaulty = true;
            }

            var sends = await StepsAsync(clients, node, steps);
            lock (_server.Gate)
            {
                _isFaulty = false;
            }

            var accepted = new List<List<SendReceipt>>();
            foreach (var each in sends)
            {
                accepted.Add([.. await Task.WhenAll(each).WaitAsync(FaultServer.Patience)]);
            }

            var acceptedByNode = node is null ? [] : await node.EndAsync();
            // A client cannot notice the loss of the last frame until another frame follows.
            foreach (var (key, from) in (ReadOnlySpan<(string, string)>)[("r:lobby", "dave"), ("d:alice:bob", "bob"),
                ("d:bob:carol", "carol"), ("d:alice:carol", "carol")])
            {
                _server.Write(key, from, "the end");
            }

            for (var i = 0; i < Users.Length; i++)
            {
                foreach (var place in PlacesOf(Users[i]))
                {
                    var log = LogOf(Users[i], place);
                    await listeners[i].UntilAsync(items => IsAtEnd(items, place, log), $"{Users[i]} at the end of {place}");
                }
            }
            Transcripts = [.. Users.Select((user, i) => new Transcript(user, listeners[i].Items, accepted[i]))];
            if (node is not null)
            {
                var log = LogOf(NodeUser, Clients.Lobby);
                await node.UntilAsync(items => IsAtEnd(items, Clients.Lobby, log), $"{NodeUser} at the end of the lobby");
                Transcripts = [.. Transcripts, new Transcript(NodeUser, node.Items, acceptedByNode)];
            }

            Naive = NaiveTranscript("alice");
        }
        finally
        {
            foreach (var listener in listeners)
            {
                await listener.DisposeAsync();
            }

            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static bool IsAtEnd(IReadOnlyList<ChatItem> items, Conversation place, LogRecordOfRun log)
    {
        var ids = log.Ids[log.Epoch];
        return items.Any(item => (item is ChatEvent e && e.Id == ids[^1])
            || (item is ConversationReset r && r.Conversation == place && r.Epoch == log.Epoch && r.Head >= ids.Count));
    }

    private static IEnumerable<Conversation> PlacesOf(string user) =>
        Users.Where(other => other != user).Select(Conversation.With).Append(Clients.Lobby);

    private async Task<List<Task<SendReceipt>>[]> StepsAsync(IReadOnlyList<ChatClient> clients, NodeParticipant? node, int steps)
    {
        var sends = Users.Select(_ => new List<Task<SendReceipt>>()).ToArray();
        for (var step = 0; step < steps; step++)
        {
            int dice, who, other;
            lock (_server.Gate)
            {
                (dice, who, other) = (_random.Next(100), _random.Next(Users.Length), _random.Next(1, Users.Length));
            }

            if (node is not null && step % 5 == 0)
            {
                await node.SendAsync($"step {step}");
            }

            if (dice < 45)
            {
                sends[who].Add(clients[who].SendAsync(Clients.Lobby, $"step {step}"));
            }
            else if (dice < 65)
            {
                sends[who].Add(clients[who].SendAsync(Conversation.With(Users[(who + other) % Users.Length]), $"step {step}"));
            }
            else if (dice < 85)
            {
                _server.Write("r:lobby", "dave", $"step {step}");
            }
            else
            {
                Disturb(dice, who);
            }
            // Other tasks get a turn. Otherwise all steps would be over before the first answer.
            if (step % 4 == 0)
            {
                await Task.WhenAny(Task.WhenAll(sends[who]), Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System));
            }
        }
        return sends;
    }

    private void Disturb(int dice, int who)
    {
        lock (_server.Gate)
        {
            Faults++;
            if (dice == 99)
            {
                var places = (ReadOnlySpan<string>)["r:lobby", "d:alice:bob", "d:bob:carol"];
                _server.Rebuild(places[_random.Next(places.Length)], lost: _random.Next(3));
                return;
            }
            // The JavaScript client has its share of what befalls the first user.
            foreach (var socket in _server.Sockets.Where(socket => socket.User == Users[who] || (who == 0 && socket.User == NodeUser)))
            {
                if (dice < 92)
                {
                    socket.IsMute = true;
                    socket.Cut();
                }
                else
                {
                    var code = Closes[_random.Next(Closes.Length)];
                    if (code == CloseCodes.Restart)
                    {
                        socket.Say(new JsonObject { ["type"] = "reconnect", ["after"] = 2 });
                    }

                    socket.Close(code);
                }
            }
        }
    }

    private bool OnFrame(ServerSocket socket, JsonObject frame)
    {
        var type = (string)frame["type"]!;
        var isSend = type is "room" or "dm";
        if (isSend && Chance(8))
        {
            var code = _random.Next(2) == 0 ? ErrorCodes.Unavailable : ErrorCodes.RateLimited;
            socket.Say(new JsonObject { ["type"] = "error", ["code"] = code, ["nonce"] = (string)frame["nonce"]!,
                ["retryAfter"] = _random.Next(1, 4) });
            return true;
        }
        if (isSend && Chance(2))
        {
            return true;
        }

        if (type is "join" or "resume" && Chance(5))
        {
            socket.Say(new JsonObject { ["type"] = "error", ["code"] = ErrorCodes.Unavailable, ["ref"] = (string)frame["ref"]!,
                ["retryAfter"] = 2 });
            return true;
        }
        return false;
    }

    private IEnumerable<JsonObject> OnSay(ServerSocket socket, JsonObject frame)
    {
        var isEvent = frame["from"] is not null && frame["id"] is not null;
        var isAnswer = (string?)frame["type"] == "ack" || ((string?)frame["type"] == "resumed" && frame["ref"] is not null);
        JsonObject[] said = (isEvent || isAnswer) switch
        {
            true when Chance(4) => [],
            true when Chance(4) => [frame, frame],
            true when Chance(2) => [],
            _ => [frame],
        };
        if (isAnswer && said.Length == 0)
        {
            socket.IsMute = true;
            socket.Cut();
        }
        foreach (var each in said)
        {
            _said.Add((socket.User, each));
        }

        return said;
    }

    private bool Chance(int percent)
    {
        var happens = _isFaulty && _random.Next(100) < percent;
        if (happens)
        {
            Faults++;
        }

        return happens;
    }

    private Transcript NaiveTranscript(string user)
    {
        var items = new List<ChatItem>();
        foreach (var (_, frame) in _said.Where(said => said.User == user && (string?)said.Frame["room"] == "lobby"))
        {
            if ((string?)frame["type"] == "joined")
            {
                items.Add(new RoomJoined(Clients.Lobby, (string)frame["epoch"]!, (long)frame["seq"]!, [], 0, [], 0));
            }
            else if ((string?)frame["type"] == "room")
            {
                items.Add(new MessageSent(Clients.Lobby) { Id = (string)frame["id"]!, Seq = (long)frame["seq"]!,
                    From = (string)frame["from"]!, Content = "", Timestamp = default });
            }
        }
        return new Transcript(user, items, []);
    }
}
