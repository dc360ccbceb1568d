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
/// Writes to the TCP socket itself by one system call for all queued frames, on the caller's thread. A single frame goes out of the array that
/// all connections share; several are copied into one buffer first. Only a full socket makes the caller wait. Linux only.
/// </summary>
/// <param name="full">Wakes the writer when its socket has room again.</param>
public sealed class SocketFrameWriter(Socket socket, FullSockets full) : IFrameWriter
{
    private const int MostBytes = 64 * 1024;

    // Held here: asking the socket for it each time costs more than the rest of this class.
    private readonly SafeSocketHandle _handle = socket.SafeHandle;

    public bool WritesControlFrames => true;

    public ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        var count = frames.CountIn(MostBytes, from, out var bytes);
        if (count > 1)
        {
            return WriteAsync(frames, from, count, bytes);
        }
        var frame = frames[from].Bytes;
        var sent = Send(frame.Span);
        return sent == frame.Length ? ValueTask.FromResult(1) : WriteRestAsync(frame[sent..]);
    }

    public async ValueTask WriteCloseAsync(int code, string reason) => await WriteRestAsync(CloseFrame.Encode(code, reason).Bytes);

    private async ValueTask<int> WriteAsync(FrameList frames, int from, int count, int bytes)
    {
        var gathered = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            var length = 0;
            for (var i = from; i < from + count; i++)
            {
                frames[i].Bytes.Span.CopyTo(gathered.AsSpan(length));
                length += frames[i].Length;
            }
            await WriteRestAsync(gathered.AsMemory(0, length));
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    private async ValueTask<int> WriteRestAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            bytes = bytes[Send(bytes.Span)..];
            if (bytes.IsEmpty)
            {
                return 1;
            }
            // No token: the owner ends a wait that is too long by cutting the connection.
            await full.WaitAsync(_handle);
        }
    }

    /// <exception cref="SocketException">The client is gone.</exception>
    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = Epoll.Send(_handle, bytes);
        return sent >= 0 ? sent : throw new SocketException((int)SocketError.ConnectionReset);
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
