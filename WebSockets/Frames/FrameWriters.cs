using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;

namespace AspireChat.WebSockets;

/// <summary>Writes frames to one connection. One call at a time.</summary>
public interface IFrameWriter
{
    /// <summary>False: whatever is behind the writer sends pings and pongs by itself.</summary>
    bool WritesControlFrames { get; }

    /// <summary>Writes frames from <paramref name="from"/> on, as many as fit into one write.</summary>
    /// <returns>How many frames were written, at least one.</returns>
    ValueTask<int> WriteAsync(FrameList frames, int from);

    /// <summary>Writes the close frame. Nothing follows it.</summary>
    ValueTask WriteCloseAsync(int code, string reason);
}

/// <summary>
/// Writes to the TCP socket itself, all queued frames with one call. A single frame goes out of the array that all connections share;
/// several are copied into one buffer first. A write through Kestrel's pipe would cost a copy and a change of thread more.
/// </summary>
public sealed class SharedFrameWriter(Socket socket) : IFrameWriter
{
    private const int MostBytes = 64 * 1024;

    public bool WritesControlFrames => true;

    public async ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        var count = frames.CountIn(MostBytes, from, out var bytes);
        if (count == 1)
        {
            await SendAsync(frames[from].Bytes);
            return 1;
        }
        var gathered = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            var length = 0;
            for (var i = from; i < from + count; i++)
            {
                frames[i].Bytes.Span.CopyTo(gathered.AsSpan(length));
                length += frames[i].Length;
            }
            await SendAsync(gathered.AsMemory(0, length));
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    public ValueTask WriteCloseAsync(int code, string reason) => SendAsync(CloseFrame.Encode(code, reason).Bytes);

    /// <summary>Completes at once unless the kernel's buffer is full.</summary>
    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        // No token: the owner ends a send that is stuck by cutting the connection.
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None)..];
        }
    }
}

/// <summary>Writes by the framework's <see cref="WebSocket"/>: one write and one flush per frame, on every kind of connection.</summary>
public sealed class FrameworkWriter(WebSocket socket) : IFrameWriter
{
    public bool WritesControlFrames => false;

    public async ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        await socket.SendAsync(
            frames[from].Payload, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);
        return 1;
    }

    public async ValueTask WriteCloseAsync(int code, string reason) =>
        await socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, CancellationToken.None);
}
