using System.Net.WebSockets;
using AspireChat.ConnectionService.Hubs;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// One socket from the upgrade to its end: welcome, the read loop (one frame at a time: what a client sends too fast waits in TCP), close.
/// </summary>
internal sealed class SocketSession(SocketServices services, WebSocket socket, Action abort, ChatUser user)
{
    private readonly string _id = "c-" + Guid.CreateVersion7(services.Time.GetUtcNow()).ToString("N");

    /// <param name="aborted">The transport is gone.</param>
    public async Task RunAsync(CancellationToken aborted)
    {
        var outbound = new SocketOutbound(socket, abort, _id, services.Options, services.Metrics, services.Time, services.Logger);
        if (!services.Allowances.TryOpen(user.Id))
        {
            SocketLog.TooManyConnections(services.Logger, user.Id);
            services.Metrics.Refused(ErrorCodes.Limit);
            outbound.Send(ServerFrameCodec.Encode(ErrorFrame.Of(
                new FrameError(ErrorCodes.Limit, $"at most {services.Options.ConnectionsPerUser} connections per user"))));
            // Not a code that forbids coming back: often the others are dead connections that nobody has noticed yet.
            outbound.Close(CloseCodes.Overloaded, "too many connections");
            await DiscardAsync(outbound, aborted);
            outbound.End();
            return;
        }

        var connection = new Connection(_id, user.Id, outbound, user.Expires.ToUnixTimeMilliseconds()) { Welcome = Welcome() };
        var started = services.Time.GetTimestamp();
        services.Metrics.Opened();
        SocketLog.Opened(services.Logger, _id, user.Id);
        services.Open.Add(connection);
        services.Presence.ConnectionOpened(user.Id);
        try
        {
            services.Hubs.OfUser(user.Id).Post(new HubMessage.Opened(connection));
            if (await connection.Welcomed.WaitAsync(aborted))
                await ReadAsync(connection, outbound, aborted);
            await DiscardAsync(outbound, aborted);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The client is gone.
        }
        catch (Exception e)
        {
            SocketLog.Failed(services.Logger, e, _id);
            outbound.Close(CloseCodes.ServerError, "server error");
            await outbound.Closed;
        }
        finally
        {
            connection.MarkClosed();
            services.Hubs.PostToAll(new HubMessage.Closed(connection));
            services.Presence.ConnectionClosed(user.Id);
            services.Open.Remove(connection);
            services.Allowances.Close(user.Id);
            services.Metrics.Closed();
            outbound.End();
            SocketLog.Ended(services.Logger, _id, user.Id, services.Time.GetElapsedTime(started).TotalSeconds);
        }
    }

    /// <summary>Returns when the connection is to end: its client said so, or its queue is sealed.</summary>
    private async Task ReadAsync(Connection connection, SocketOutbound outbound, CancellationToken aborted)
    {
        var limits = services.Options.Frames;
        var handler = new FrameHandler(services, connection);
        var frames = new TokenBucket(services.Options.FramesPerSecond, services.Options.FrameBurst, services.Time);
        using var reader = new MessageReader(socket, services.Options.FrameBytes,
            (long)services.Options.FrameBytes * services.Options.FarTooLargeFactor);
        while (outbound.CloseCode == 0)
        {
            var message = await reader.ReadAsync(aborted);
            await PaceAsync(frames, aborted);
            switch (message)
            {
                case MessageKind.Text:
                    if (ClientFrameReader.TryRead(reader.Text, limits, out var frame, out var error))
                        await handler.HandleAsync(frame, aborted);
                    else
                        handler.Refuse(error);
                    break;
                case MessageKind.TooLarge:
                    handler.Refuse(new FrameError(ErrorCodes.TooLarge, $"a frame has at most {services.Options.FrameBytes} bytes"));
                    break;
                case MessageKind.FarTooLarge:
                    outbound.Close(CloseCodes.MessageTooBig, "message too big");
                    break;
                case MessageKind.Binary:
                    outbound.Close(CloseCodes.BinaryMessage, "only text messages");
                    break;
                case MessageKind.Close:
                    outbound.Close(CloseCodes.Normal, "");
                    return;
            }
        }
    }

    /// <summary>
    /// Frames cost work even where no limit of the protocol counts them (ping, join, read): who sends too many is read more slowly.
    /// </summary>
    private async ValueTask PaceAsync(TokenBucket frames, CancellationToken aborted)
    {
        while (!frames.TryTake(out var wait))
            await Task.Delay(wait, services.Time, aborted);
    }

    /// <summary>
    /// Reads on without listening until the client has closed too: closing a TCP connection with unread data in it would destroy what is
    /// still under way to the client. The outbound queue cuts the connection when that takes too long.
    /// </summary>
    private async Task DiscardAsync(SocketOutbound outbound, CancellationToken aborted)
    {
        var scratch = new byte[1024];
        try
        {
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                var received = await socket.ReceiveAsync(scratch.AsMemory(), aborted);
                if (received.MessageType == WebSocketMessageType.Close)
                    break;
            }
            await outbound.Closed;
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The client is gone, or was cut.
        }
    }

    private byte[] Welcome() => ServerFrameCodec.Encode(new WelcomeFrame(
        user.Id, _id, services.Node.Name, (int)services.Options.Heartbeat.TotalSeconds, Timestamps.ToText(user.Expires)));

    private static bool IsEnd(Exception e) =>
        e is OperationCanceledException or WebSocketException or ObjectDisposedException or IOException;
}
