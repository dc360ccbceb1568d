using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AspireChat.Tests.Connections;

/// <summary>
/// A client of the socket that reads only when it is asked to, so that a test decides how fast a client is. Frames that a wait passes over
/// are kept for later ones.
/// </summary>
internal sealed class TestSocket : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket = new();
    private readonly List<JsonObject> _passed = [];

    public JsonObject Welcome { get; private set; } = [];

    public static async Task<TestSocket> ConnectAsync(Uri address, string token)
    {
        var socket = await OpenAsync(address, token);
        socket.Welcome = await socket.ReadAsync() ?? throw new InvalidOperationException("closed instead of welcome");
        Assert.Equal("welcome", (string?)socket.Welcome["type"]);
        return socket;
    }

    /// <summary>Connects without waiting for <c>welcome</c>.</summary>
    public static async Task<TestSocket> OpenAsync(Uri address, string token)
    {
        var socket = new TestSocket();
        socket._socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        using var patience = new CancellationTokenSource(Patience);
        await socket._socket.ConnectAsync(new UriBuilder(address) { Scheme = "ws", Path = "/ws" }.Uri, patience.Token);
        return socket;
    }

    public Task SendAsync(object frame) => SendAsync(JsonSerializer.SerializeToUtf8Bytes(frame), WebSocketMessageType.Text);

    public Task SendTextAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public async Task SendAsync(byte[] bytes, WebSocketMessageType type)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _socket.SendAsync(bytes, type, endOfMessage: true, patience.Token);
    }

    /// <summary>The next frame of the type; frames before it stay for later calls.</summary>
    public Task<JsonObject> ExpectAsync(string type, Func<JsonObject, bool>? match = null) =>
        ExpectAsync(frame => (string?)frame["type"] == type && match?.Invoke(frame) != false, type);

    public Task<JsonObject> ExpectAnyAsync(params string[] types) =>
        ExpectAsync(frame => types.Contains((string?)frame["type"]), string.Join(" or ", types));

    private async Task<JsonObject> ExpectAsync(Predicate<JsonObject> fits, string type)
    {
        if (_passed.Find(fits) is { } passed)
        {
            _passed.Remove(passed);
            return passed;
        }
        while (true)
        {
            var frame = await ReadAsync()
                ?? throw new InvalidOperationException($"closed with {_socket.CloseStatus} while waiting for '{type}'");
            if (fits(frame))
            {
                return frame;
            }

            _passed.Add(frame);
        }
    }

    /// <summary>All frames that the server has sent up to now, in order.</summary>
    public async Task<IReadOnlyList<JsonObject>> SettleAsync()
    {
        var reference = Guid.NewGuid().ToString("N");
        await SendAsync(new { type = "ping", @ref = reference });
        await ExpectAsync("pong", frame => (string?)frame["ref"] == reference);
        var frames = _passed.ToList();
        _passed.Clear();
        return frames;
    }

    public async Task<JsonObject> JoinAsync(string room, long? since = null)
    {
        await SendAsync(since is null ? new { type = "join", room } : (object)new { type = "join", room, since });
        return await ExpectAsync("joined", frame => (string?)frame["room"] == room);
    }

    public async Task<JsonObject> SayAsync(string room, string content, string? nonce = null)
    {
        nonce ??= Guid.NewGuid().ToString("N");
        await SendAsync(new { type = "room", room, content, nonce });
        return await ExpectAsync("ack", frame => (string?)frame["nonce"] == nonce);
    }

    /// <summary>Reads to the end; the code of the server's close frame, or -1 when there was none.</summary>
    public async Task<int> ExpectCloseAsync()
    {
        while (await ReadAsync() is { } frame)
        {
            _passed.Add(frame);
        }

        return (int?)_socket.CloseStatus ?? -1;
    }

    /// <summary>Closes and gives the code that the server answers with.</summary>
    public async Task<int> CloseAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        return (int?)_socket.CloseStatus ?? -1;
    }

    /// <summary>The next frame; null when the server has closed.</summary>
    public async Task<JsonObject?> ReadAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(length), patience.Token);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
                    return null;
                }
                length += part.Count;
                if (part.EndOfMessage)
                {
                    return JsonNode.Parse(buffer.AsSpan(0, length))!.AsObject();
                }

                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, 2 * length);
                }
            }
        }
        catch (WebSocketException)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("No frame within the test's patience. Passed over: " + string.Join("\n",
                _passed.Select(frame => frame.ToJsonString())));
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Abort();
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
