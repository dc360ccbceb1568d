using System.Net.WebSockets;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>Makes a socket of a verified user's request, with the framing that is configured. Thread-safe.</summary>
internal sealed class SocketAcceptor(
    IOptions<SocketOptions> options, SocketSessions sessions, OutboundQueues queues, Heartbeats heartbeats, TimeProvider time)
{
    private const string Protocol = "aspirechat.v1";

    private readonly SocketOptions _options = options.Value;

    public async Task AcceptAsync(HttpContext context)
    {
        var user = ChatUser.From(context.User);
        var id = "c-" + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        var protocol = context.WebSockets.WebSocketRequestedProtocols.Contains(Protocol) ? Protocol : null;
        if (_options.Framing != SocketFraming.Own || !await Handshake.TryAcceptAsync(
                context, protocol, new FrameReader(_options.FrameBytes, _options.FarTooLargeBytes), socket => RunAsync(socket, id, user)))
        {
            await RunFrameworkAsync(context, protocol, id, user);
        }
    }

    // Apart from the request, which would otherwise live as long as the socket.
    private async Task RunAsync(FrameSocket socket, string id, ChatUser user)
    {
        var outbound = queues.Create(socket, socket.Abort, id);
        using var channel = new OwnChannel(socket, outbound, heartbeats);
        await sessions.RunAsync(channel, id, user, socket.Closed);
    }

    private async Task RunFrameworkAsync(HttpContext context, string? protocol, string id, ChatUser user)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = protocol,
            KeepAliveInterval = _options.Heartbeat,
            KeepAliveTimeout = _options.HeartbeatTimeout,
        });
        var outbound = queues.Create(new FrameworkWriter(socket), context.Abort, id);
        using var channel = new FrameworkChannel(socket, outbound, _options.FrameBytes, _options.FarTooLargeBytes);
        await sessions.RunAsync(channel, id, user, context.RequestAborted);
        if (socket.State == WebSocketState.Aborted
            && context.Features.Get<IHttpUpgradeFeature>() is LingeringUpgrade { Stream: { } stream })
        {
            await stream.LingerAsync(_options.CloseTimeout, time, context.RequestAborted);
        }
    }
}
