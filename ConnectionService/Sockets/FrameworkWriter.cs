using System.Net.WebSockets;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// Writes by <see cref="WebSocket.SendAsync(ReadOnlyMemory{byte}, WebSocketMessageType, WebSocketMessageFlags, CancellationToken)"/>: one
/// write and one flush per frame.
/// </summary>
internal sealed class FrameworkWriter(WebSocket socket) : IFrameWriter
{
    public bool WritesControlFrames => false;

    public async ValueTask<int> WriteAsync(FrameList frames, int from)
    {
        await socket.SendAsync(frames[from].Payload, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage,
            CancellationToken.None);
        return 1;
    }

    public async ValueTask WriteCloseAsync(int code, string reason) =>
        await socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, CancellationToken.None);
}
