using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;

namespace AspireChat.Chaos.Traffic;

/// <summary>One connection of the protocol without a client library. One caller reads and one sends.</summary>
internal sealed class RawSocket : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ClientWebSocket _socket = new();
    private readonly ArrayBufferWriter<byte> _message = new(16 * 1024);

    /// <summary>The connection's first frame.</summary>
    public JsonElement Welcome { get; private set; }

    /// <summary>Why the server ended the connection, once it has.</summary>
    public int CloseStatus => (int)(_socket.CloseStatus ?? 0);

    /// <summary>Connects and reads <c>welcome</c>; null when that failed.</summary>
    /// <param name="invoker">Makes the TCP connection; null: the usual way.</param>
    public static async Task<RawSocket?> ConnectAsync(
        Uri gateway, string token, CancellationToken cancellationToken, HttpMessageInvoker? invoker = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var socket = new RawSocket();
        try
        {
            socket._socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
            await socket._socket.ConnectAsync(new UriBuilder(gateway) { Scheme = "ws", Path = "/ws" }.Uri, invoker, patience.Token);
            if (await socket.ReadAsync(patience.Token) is { } welcome)
            {
                socket.Welcome = welcome;
                return socket;
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // The gateway is not there. The caller tries again.
        }
        socket.Dispose();
        return null;
    }

    /// <summary>The next frame; null when the connection has ended.</summary>
    public async Task<JsonElement?> ReadAsync(CancellationToken cancellationToken)
    {
        _message.ResetWrittenCount();
        try
        {
            while (true)
            {
                var result = await _socket.ReceiveAsync(_message.GetMemory(8 * 1024), cancellationToken);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                _message.Advance(result.Count);
                if (!result.EndOfMessage)
                {
                    continue;
                }

                var reader = new Utf8JsonReader(_message.WrittenSpan);
                return JsonElement.ParseValue(ref reader);
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>False when the connection has ended. The frame may or may not have been sent.</summary>
    public async Task<bool> SendAsync<T>(T frame)
    {
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(frame), WebSocketMessageType.Text, true, CancellationToken.None);
            return true;
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _socket.Abort();
        _socket.Dispose();
    }
}
