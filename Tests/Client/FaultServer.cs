using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using AspireChat.Contracts.Frames;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Client;

/// <summary>
/// A small chat server of protocol v1 on a real socket in this process. It is correct unless a <see cref="FaultScript"/> makes it wrong. A
/// token is <c>user</c> or <c>user~anything</c>.
/// </summary>
internal sealed class FaultServer : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly Dictionary<string, ServerLog> _logs = [];
    private readonly List<ServerSocket> _sockets = [];
    private readonly Channel<ServerSocket> _arrivals = Channel.CreateUnbounded<ServerSocket>();
    private int _epochs;

    private FaultServer(WebApplication app) => _app = app;

    public Lock Gate { get; } = new();

    public FaultScript Script { get; } = new();

    public Uri Address { get; private set; } = null!;

    public int PagesServed { get; private set; }

    public static async Task<FaultServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        var app = builder.Build();
        var server = new FaultServer(app);
        app.UseWebSockets();
        app.Map("/ws", server.SocketAsync);
        app.MapGet("/api/rooms/{room}/messages", (HttpContext http, string room) => server.PageAsync(http, "r:" + room));
        app.MapGet("/api/dms/{user}/messages",
            (HttpContext http, string user) => server.PageAsync(http, Direct(UserOf(TokenOf(http)), user)));
        app.MapGet("/api/conversations", server.OverviewAsync);
        app.MapPost("/api/socket-tickets", () => server.Script.OnTicket() is { } ticket ? Results.Json(ticket) : Results.NotFound());
        await app.StartAsync();
        server.Address = new Uri(app.Urls.First());
        return server;
    }

    public ServerLog Log(string key)
    {
        lock (Gate)
        {
            if (!_logs.TryGetValue(key, out var log))
            {
                _logs.Add(key, log = new ServerLog(key, "e" + ++_epochs));
            }

            return log;
        }
    }

    public static string Direct(string a, string b) => string.CompareOrdinal(a, b) <= 0 ? $"d:{a}:{b}" : $"d:{b}:{a}";

    /// <summary>The next connection that was welcomed.</summary>
    public async Task<ServerSocket> NextSocketAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _arrivals.Reader.ReadAsync(patience.Token);
    }

    public IReadOnlyList<ServerSocket> Sockets
    {
        get
        {
            lock (Gate)
            {
                return [.. _sockets];
            }
        }
    }

    /// <summary>Bob sends messages to the lobby, each with its number as its content.</summary>
    public void WriteToLobby(int first, int last)
    {
        for (var i = first; i <= last; i++)
        {
            Write("r:lobby", "bob", $"{i}");
        }
    }

    /// <summary>Another user sends a message. Returns its seq.</summary>
    public long Write(string key, string from, string content, string? nonce = null)
    {
        lock (Gate)
        {
            var frame = new JsonObject { ["type"] = key[0] == 'r' ? "room" : "dm", ["content"] = content,
                ["nonce"] = nonce ?? Guid.NewGuid().ToString("N") };
            if (key[0] == 'r')
            {
                frame["room"] = key[2..];
            }
            else
            {
                frame["to"] = key.Split(':').Skip(1).FirstOrDefault(user => user != from) ?? from;
            }

            Append(key, from, frame);
            return Log(key).Head;
        }
    }

    /// <summary>Another user sends any event. Called inside the gate.</summary>
    public void Append(string key, string from, JsonObject frame)
    {
        Log(key).Append(from, frame);
        FanOut(Log(key));
    }

    public void Rebuild(string key, int lost)
    {
        lock (Gate)
        {
            var log = Log(key);
            log.Rebuild("e" + ++_epochs, lost);
            foreach (var socket in Receivers(log))
            {
                Say(socket, Resumed(log, socket, seq: 0, complete: false, null));
            }
        }
    }

    public void Say(ServerSocket socket, JsonObject frame)
    {
        foreach (var each in Script.OnSay(socket, frame))
        {
            socket.Say(each);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in Sockets)
        {
            socket.Cut();
        }

        await _app.DisposeAsync();
    }

    private static string UserOf(string token) => token.Split('~')[0];

    private static string TokenOf(HttpContext http) =>
        http.Request.Query["ticket"] is [{ } ticket] ? ticket : http.Request.Headers.Authorization.ToString()["Bearer ".Length..];

    private async Task SocketAsync(HttpContext http)
    {
        var token = TokenOf(http);
        int status;
        lock (Gate)
        {
            status = Script.OnUpgrade(token);
        }

        if (status != 101)
        {
            http.Response.StatusCode = status;
            return;
        }
        using var accepted = await http.WebSockets.AcceptWebSocketAsync("aspirechat.v1");
        var socket = new ServerSocket(accepted, UserOf(token), token);
        var writing = socket.WriteAsync();
        lock (Gate)
        {
            _sockets.Add(socket);
            Say(socket, new JsonObject
            {
                ["type"] = "welcome", ["user"] = socket.User, ["connection"] = "c" + _sockets.Count, ["node"] = "n" + _sockets.Count,
                ["heartbeat"] = Script.Heartbeat, ["expires"] = Script.Expires(),
            });
        }
        _arrivals.Writer.TryWrite(socket);
        await socket.ReadAsync(frame =>
        {
            lock (Gate)
            {
                if (!socket.IsMute && !Script.OnFrame(socket, frame))
                {
                    Handle(socket, frame);
                }
            }
        });
        lock (Gate)
        {
            _sockets.Remove(socket);
        }

        await writing;
    }

    /// <summary>What a correct server does. Called inside the gate.</summary>
    public void Handle(ServerSocket socket, JsonObject frame)
    {
        switch ((string)frame["type"]!)
        {
            case "join":
                Join(socket, (string)frame["room"]!, frame);
                break;
            case "resume":
                foreach (var place in frame["conversations"]!.AsArray().Select(place => place!.AsObject()))
                {
                    if (place["room"] is not null)
                    {
                        Join(socket, (string)place["room"]!, place, frame["ref"]);
                    }
                    else
                    {
                        Replay(socket, Log(Direct(socket.User, (string)place["to"]!)), place, frame["ref"]);
                    }
                }
                break;
            case "leave":
                socket.Rooms.Remove((string)frame["room"]!);
                Say(socket, With(new JsonObject { ["type"] = "left", ["room"] = (string)frame["room"]! }, frame["ref"]));
                break;
            case "room" when !socket.Rooms.Contains((string)frame["room"]!):
                Say(socket, new JsonObject { ["type"] = "error", ["code"] = ErrorCodes.NotJoined, ["message"] = "",
                    ["nonce"] = (string)frame["nonce"]! });
                break;
            case "room" or "dm" or "edit" or "delete" or "react":
                var log = Log(frame["room"] is { } room ? "r:" + room : Direct(socket.User, (string)frame["to"]!));
                var (before, ack) = (log.Head, log.Append(socket.User, frame));
                Say(socket, ack);
                if (log.Head > before)
                {
                    FanOut(log);
                }

                break;
            case "ping":
                Say(socket, With(new JsonObject { ["type"] = "pong" }, frame["ref"]));
                break;
            case "auth":
                Say(socket, new JsonObject { ["type"] = "authenticated", ["expires"] = Script.Expires() });
                break;
        }
    }

    private void Join(ServerSocket socket, string room, JsonObject place, JsonNode? reference = null)
    {
        var log = Log("r:" + room);
        socket.Rooms.Add(room);
        Say(socket, With(new JsonObject
        {
            ["type"] = "joined", ["room"] = room, ["seq"] = log.Head, ["epoch"] = log.Epoch, ["members"] = new JsonArray(socket.User),
            ["count"] = 1,
            ["typing"] = new JsonArray(), ["read"] = 0,
        }, reference ?? place["ref"]));
        if (place["since"] is not null)
        {
            Replay(socket, log, place, reference ?? place["ref"]);
        }
    }

    private void Replay(ServerSocket socket, ServerLog log, JsonObject place, JsonNode? reference)
    {
        var since = (long)place["since"]!;
        if (since > log.Head || (place["epoch"] is { } epoch && (string)epoch! != log.Epoch))
        {
            Say(socket, Resumed(log, socket, 0, complete: false, reference));
            return;
        }
        var last = Math.Min(log.Head, since + Script.ReplayLimit);
        for (var seq = since + 1; seq <= last; seq++)
        {
            Say(socket, log.View((int)seq - 1, socket.User));
        }

        Say(socket, Resumed(log, socket, last, complete: last == log.Head, reference));
    }

    private static JsonObject Resumed(ServerLog log, ServerSocket socket, long seq, bool complete, JsonNode? reference)
    {
        var frame = new JsonObject { ["type"] = "resumed", ["seq"] = seq, ["head"] = log.Head, ["complete"] = complete,
            ["epoch"] = log.Epoch };
        if (log.Key[0] == 'r')
        {
            frame["room"] = log.Key[2..];
        }
        else
        {
            frame["to"] = log.Users.FirstOrDefault(user => user != socket.User) ?? socket.User;
        }

        return With(frame, reference);
    }

    private void FanOut(ServerLog log)
    {
        foreach (var socket in Receivers(log))
        {
            Say(socket, log.View((int)log.Head - 1, socket.User));
        }
    }

    private List<ServerSocket> Receivers(ServerLog log) =>
        [.. _sockets.Where(socket => log.Key[0] == 'r' ? socket.Rooms.Contains(log.Key[2..]) : log.Users.Contains(socket.User))];

    private static JsonObject With(JsonObject frame, JsonNode? reference)
    {
        if (reference is not null)
        {
            frame["ref"] = reference.DeepClone();
        }

        return frame;
    }

    private async Task PageAsync(HttpContext http, string key)
    {
        JsonObject page;
        lock (Gate)
        {
            PagesServed++;
            if (Refused(http))
            {
                return;
            }

            var log = Log(key);
            var user = UserOf(TokenOf(http));
            var limit = int.Parse(http.Request.Query["limit"].FirstOrDefault() ?? "50", CultureInfo.InvariantCulture);
            var after = long.Parse(http.Request.Query["after"].FirstOrDefault() ?? "-1", CultureInfo.InvariantCulture);
            var before = long.Parse(http.Request.Query["before"].FirstOrDefault() ?? "9999999", CultureInfo.InvariantCulture);
            var indexes = Enumerable.Range(0, (int)log.Head).Where(index => index + 1 > after && index + 1 < before);
            indexes = after >= 0 ? indexes.Take(limit) : indexes.Reverse().Take(limit);
            page = new JsonObject
            {
                ["items"] = new JsonArray([.. indexes.Select(index => log.View(index, user))]), ["epoch"] = log.Epoch, ["head"] = log.Head,
                ["next"] = null,
            };
            Script.OnPage(page);
        }
        await http.Response.WriteAsJsonAsync(page);
    }

    private async Task OverviewAsync(HttpContext http)
    {
        JsonArray items;
        lock (Gate)
        {
            if (Refused(http))
            {
                return;
            }

            var user = UserOf(TokenOf(http));
            items = new JsonArray([.. _logs.Values.Where(log => log.Head > 0 && log.Users.Contains(user)).Select(log => new JsonObject
            {
                ["to"] = log.Users.FirstOrDefault(other => other != user) ?? user, ["head"] = log.Head, ["read"] = 0, ["unread"] = 0,
                ["last"] = log.View((int)log.Head - 1, user),
            })]);
            Script.OnOverview(items);
        }
        await http.Response.WriteAsJsonAsync(new JsonObject { ["items"] = items });
    }

    private bool Refused(HttpContext http)
    {
        var status = Script.OnHttp(http.Request);
        if (status < 0)
        {
            http.Abort();
        }
        else
        {
            http.Response.StatusCode = status;
        }

        return status != 200;
    }
}
