using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>Hears a socket's frames.</summary>
/// <param name="frame">One whole frame.</param>
/// <param name="at">A <see cref="Stopwatch"/> timestamp from just after its receipt.</param>
internal delegate void FrameHeard(ReadOnlySpan<byte> frame, long at);

/// <summary>
/// One connection for measurements that need an answer to each frame rather than thousands of connections (which <see cref="Fleet"/> has). Frames
/// are handed on as bytes. Thread-safe; the listener is called by one thread at a time.
/// </summary>
internal sealed class LiveSocket : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly FrameHeard _heard;
    private Task _reading = Task.CompletedTask;

    private LiveSocket(FrameHeard heard) => _heard = heard;

    /// <summary>The server's close code; -1: it ended without one.</summary>
    public int? ClosedWith { get; private set; }

    /// <summary>When the connection ended, as a <see cref="Stopwatch"/> timestamp.</summary>
    public long ClosedAt { get; private set; }

    /// <summary>Ends with the connection.</summary>
    public Task Ended => _reading;

    public static async Task<LiveSocket> ConnectAsync(Uri server, string token, FrameHeard heard)
    {
        var live = new LiveSocket(heard);
        live._socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        await live._socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = "/ws" }.Uri, CancellationToken.None);
        live._reading = live.ReadAsync();
        return live;
    }

    public async Task SendAsync(string frame)
    {
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[16 * 1_024];
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
                        Array.Resize(ref buffer, 2 * length);
                    }

                    part = await _socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    length += part.Count;
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    (ClosedAt, ClosedWith) = (Stopwatch.GetTimestamp(), (int?)_socket.CloseStatus ?? -1);
                    return;
                }

                _heard(buffer.AsSpan(0, length), Stopwatch.GetTimestamp());
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            (ClosedAt, ClosedWith) = (Stopwatch.GetTimestamp(), ClosedWith ?? -1);
        }
    }
}
