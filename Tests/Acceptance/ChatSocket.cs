using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Acceptance;

/// <summary>
/// One socket as a client of the protocol sees it. Frames are sent as given, and received frames are kept in order. A test waits for a
/// frame, never for a time. A frame that does not come within <see cref="Patience"/> fails the test and shows the frames that came instead.
/// </summary>
internal sealed class ChatSocket : IAsyncDisposable
{
    /// <summary>Generous, because only a failing test waits this long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly Lock _lock = new();
    private readonly List<JsonObject> _received = [];
    private readonly HashSet<JsonObject> _consumed = [];
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private ChatSocket(string user) => User = user;

    public string User { get; }

    public string Node { get; private set; } = "";

    /// <summary>Set when the server or the network has ended the socket; -1 without a close frame.</summary>
    public int? ClosedWith { get; private set; }

    /// <summary>All frames received until now, in order.</summary>
    public IReadOnlyList<JsonObject> Received
    {
        get
        {
            lock (_lock)
            {
                return [.. _received];
            }
        }
    }

    public static async Task<ChatSocket> ConnectAsync(Uri gateway, string user, string token)
    {
        var chat = new ChatSocket(user);
        chat._socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        chat._socket.Options.AddSubProtocol("aspirechat.v1");
        using var patience = new CancellationTokenSource(Patience);
        await chat._socket.ConnectAsync(new UriBuilder(gateway) { Scheme = "ws", Path = "/ws" }.Uri, patience.Token);
        chat._reading = chat.ReadAsync();
        var welcome = await chat.ExpectAsync("welcome");
        Assert.Equal(user, (string?)welcome["user"]);
        chat.Node = (string)welcome["node"]!;
        return chat;
    }

    public Task SendAsync(object frame) => SendTextAsync(JsonSerializer.SerializeToUtf8Bytes(frame));

    public async Task SendTextAsync(ReadOnlyMemory<byte> text, WebSocketMessageType type = WebSocketMessageType.Text)
    {
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(text, type, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Joins and waits for the answer. While the log can't be reached it asks again, as a client does.</summary>
    public async Task<JsonObject> JoinAsync(string room, long? since = null) =>
        (await ChatSystem.EventuallyAsync(() => TryJoinAsync(room, since), joined => joined is not null))!;

    private async Task<JsonObject?> TryJoinAsync(string room, long? since)
    {
        var reference = Guid.NewGuid().ToString("N");
        await SendAsync(since is null
            ? new { type = "join", room, @ref = reference }
            : (object)new { type = "join", room, since, @ref = reference });
        var joined = ExpectAsync("joined", frame => (string?)frame["ref"] == reference);
        var refused = ExpectAsync("error", frame => (string?)frame["ref"] == reference);
        if (await Task.WhenAny(joined, refused) == joined)
        {
            return await joined;
        }

        Assert.Equal(ErrorCodes.Unavailable, (string?)(await refused)["code"]);
        return null;
    }

    /// <summary>Sends to a room and waits for the ack.</summary>
    public async Task<JsonObject> SayAsync(string room, string content, string? nonce = null)
    {
        nonce ??= Guid.NewGuid().ToString("N");
        await SendAsync(new { type = "room", room, content, nonce });
        return await ExpectAckAsync(nonce);
    }

    /// <summary>Sends a direct message and waits for the ack.</summary>
    public async Task<JsonObject> TellAsync(string to, string content, string? nonce = null)
    {
        nonce ??= Guid.NewGuid().ToString("N");
        await SendAsync(new { type = "dm", to, content, nonce });
        return await ExpectAckAsync(nonce);
    }

    public Task<JsonObject> ExpectAckAsync(string nonce) => ExpectAsync("ack", frame => (string?)frame["nonce"] == nonce);

    /// <summary>The next matching frame of the type that no earlier call has returned.</summary>
    public async Task<JsonObject> ExpectAsync(string type, Func<JsonObject, bool>? match = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task arrival;
            lock (_lock)
            {
                var found = _received.FirstOrDefault(frame => !_consumed.Contains(frame) && (string?)frame["type"] == type && match?.Invoke(frame) != false);
                if (found is not null)
                {
                    _consumed.Add(found);
                    return found;
                }
                arrival = _arrival.Task;
            }
            if (ClosedWith is not null && arrival.IsCompleted)
            {
                Assert.Fail($"{User}: closed with {ClosedWith} while waiting for '{type}'. {Describe()}");
            }

            try
            {
                await arrival.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{User}: no matching '{type}' within {Patience.TotalSeconds} s. {Describe()}");
            }
        }
    }

    /// <summary>Waits until the socket has ended and returns the close code.</summary>
    public async Task<int> ExpectCloseAsync()
    {
        await _reading.WaitAsync(Patience);
        return ClosedWith!.Value;
    }

    /// <summary>
    /// When this returns, every frame that the server had sent before has arrived, because frames of one connection come in order. Use it
    /// before asserting that a frame did not come.
    /// </summary>
    public async Task SettleAsync()
    {
        var reference = Guid.NewGuid().ToString("N");
        await SendAsync(new { type = "ping", @ref = reference });
        await ExpectAsync("pong", frame => (string?)frame["ref"] == reference);
    }

    /// <summary>The contents of a room's messages as they came.</summary>
    public IEnumerable<string> Contents(string room) =>
        Received.Where(frame => (string?)frame["type"] == "room" && (string?)frame["room"] == room).Select(frame => (string)frame["content"]!);

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    if (length == buffer.Length)
                    {
                        Array.Resize(ref buffer, buffer.Length * 2);
                    }

                    part = await _socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    length += part.Count;
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    End((int?)_socket.CloseStatus ?? -1);
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return;
                }
                Arrive(JsonNode.Parse(buffer.AsSpan(0, length))!.AsObject());
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            End(-1);
        }
    }

    private void Arrive(JsonObject frame)
    {
        lock (_lock)
        {
            _received.Add(frame);
            _arrival.SetResult();
            _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void End(int code)
    {
        lock (_lock)
        {
            ClosedWith ??= code;
            _arrival.TrySetResult();
        }
    }

    private string Describe()
    {
        var last = Received.TakeLast(15).Select(frame => frame.ToJsonString());
        return "Received last: " + string.Join("\n  ", last);
    }
}
