using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace AspireChat.Tests.Client;

/// <summary>The fault server's side of one connection.</summary>
internal sealed class ServerSocket(WebSocket socket, string user, string token)
{
    private readonly Channel<Func<Task<bool>>> _out =
        Channel.CreateUnbounded<Func<Task<bool>>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<JsonObject> _received = [];
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string User { get; } = user;

    public string Token { get; } = token;

    public HashSet<string> Rooms { get; } = [];

    /// <summary>Makes the connection half-open: the socket stays, but no frame is sent any more.</summary>
    public bool IsMute { get; set; }

    public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WebSocketCloseStatus? ClosedByClient => socket.CloseStatus;

    public IReadOnlyList<JsonObject> Received
    {
        get
        {
            lock (_received)
            {
                return [.. _received];
            }
        }
    }

    public void Say(JsonObject frame)
    {
        if (IsMute)
        {
            return;
        }

        var text = JsonSerializer.SerializeToUtf8Bytes(frame);
        _out.Writer.TryWrite(async () =>
        {
            await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            return true;
        });
    }

    /// <summary>Closes with a code, behind the frames that were sent.</summary>
    public void Close(int code) => _out.Writer.TryWrite(async () =>
    {
        await socket.CloseOutputAsync((WebSocketCloseStatus)code, "scripted", CancellationToken.None);
        return false;
    });

    /// <summary>Cuts the connection behind the frames that were sent, without a close frame.</summary>
    public void Cut() => _out.Writer.TryWrite(() =>
    {
        socket.Abort();
        return Task.FromResult(false);
    });

    public async Task WriteAsync()
    {
        try
        {
            await foreach (var write in _out.Reader.ReadAllAsync())
            {
                if (!await write())
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // The client has ended the connection already.
        }
    }

    public async Task ReadAsync(Action<JsonObject> frame)
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
                    part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    length += part.Count;
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                var received = JsonNode.Parse(buffer.AsSpan(0, length))!.AsObject();
                TaskCompletionSource arrival;
                lock (_received)
                {
                    _received.Add(received);
                    (arrival, _arrival) = (_arrival, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                }
                frame(received);
                arrival.SetResult();
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            // One of the sides has cut the connection.
        }
        _out.Writer.TryComplete();
        Ended.TrySetResult();
    }

    /// <summary>The <paramref name="nth"/> frame of a type that the client sent.</summary>
    public async Task<JsonObject> ReceivedAsync(string type, int nth = 1)
    {
        using var patience = new CancellationTokenSource(FaultServer.Patience);
        while (true)
        {
            Task arrival;
            lock (_received)
            {
                if (_received.Where(frame => (string?)frame["type"] == type).Skip(nth - 1).FirstOrDefault() is { } found)
                {
                    return found;
                }

                arrival = _arrival.Task;
            }
            await arrival.WaitAsync(patience.Token);
        }
    }
}
