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
