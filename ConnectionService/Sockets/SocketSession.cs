using System.Diagnostics;
using System.Net.WebSockets;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Limits;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// One socket from the upgrade to its end: welcome, the read loop (one frame at a time: what a client sends too fast waits in TCP),
/// close.
/// </summary>
internal sealed class SocketSession(SocketServices services, ISocketChannel channel, string id, ChatUser user)
{
    /// <param name="aborted">The transport is gone.</param>
    public async Task RunAsync(CancellationToken aborted)
    {
        // A socket outlives the request that opened it, and what comes over it is no part of that one's trace.
        Activity.Current = null;
        var outbound = channel.Outbound;
        if (!services.Allowances.TryOpen(user.Id))
        {
            SocketLog.TooManyConnections(services.Logger, user.Id);
            services.Metrics.Refused(ErrorCodes.Limit);
            outbound.Send(OutboundFrame.Of(ErrorFrame.Of(
                new FrameError(ErrorCodes.Limit, $"at most {services.Options.ConnectionsPerUser} connections per user"))));
            // Not a code that forbids coming back: often the others are dead connections that nobody has noticed yet.
            outbound.Close(CloseCodes.Overloaded, "too many connections");
            await DiscardAsync(aborted);
            outbound.End();
            return;
        }

        var connection = new Connection(id, user.Id, outbound, user.Expires.ToUnixTimeMilliseconds())
        {
            Welcome = Welcome(), OpenedAt = services.Time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        var started = services.Time.GetTimestamp();
        services.Metrics.Opened();
        SocketLog.Opened(services.Logger, id, user.Id);
        services.Open.Add(connection);
        services.Presence.ConnectionOpened(user.Id);
        try
        {
            services.Hubs.OfUser(user.Id).Post(new HubMessage.Opened(connection));
            if (await connection.Welcomed.WaitAsync(aborted))
                await ReadAsync(connection, aborted);
            await DiscardAsync(aborted);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The client is gone.
        }
        catch (Exception e)
        {
            SocketLog.Failed(services.Logger, e, id);
            outbound.Close(CloseStatus.InternalError, "server error");
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
            SocketLog.Ended(services.Logger, id, user.Id, services.Time.GetElapsedTime(started).TotalSeconds);
        }
    }

    /// <summary>Returns when the connection is to end: its client said so, or its queue is sealed.</summary>
    private async Task ReadAsync(Connection connection, CancellationToken aborted)
    {
        var outbound = channel.Outbound;
        var handler = new FrameHandler(services, connection);
        var frames = new TokenBucket(services.Options.FramesPerSecond, services.Options.FrameBurst, services.Time);
        while (outbound.CloseCode == 0)
        {
            var message = await channel.ReadAsync(aborted);
            await PaceAsync(frames, aborted);
            switch (message)
            {
                case MessageKind.Text:
                    if (ClientFrameReader.TryRead(channel.Text, services.FrameLimits, out var frame, out var error))
                        await handler.HandleAsync(in frame, aborted);
                    else
                        handler.Refuse(error);
                    break;
                case MessageKind.TooLarge:
                    handler.Refuse(new FrameError(ErrorCodes.TooLarge, $"a frame has at most {services.Options.FrameBytes} bytes"));
                    break;
                case MessageKind.FarTooLarge:
                    outbound.Close(CloseStatus.MessageTooBig, "message too big");
                    break;
                case MessageKind.Binary:
                    outbound.Close(CloseStatus.UnsupportedData, "only text messages");
                    break;
                case MessageKind.Close:
                    outbound.Close(CloseStatus.Normal, "");
                    return;
                case MessageKind.Fault:
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

    private async Task DiscardAsync(CancellationToken aborted)
    {
        try
        {
            await channel.DiscardAsync(aborted);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The client is gone, or was cut.
        }
    }

    private OutboundFrame Welcome() => OutboundFrame.Of(new WelcomeFrame(
        user.Id, id, services.Node.Name, (int)services.Options.Heartbeat.TotalSeconds, Timestamps.ToText(user.Expires)));

    private static bool IsEnd(Exception e) =>
        e is OperationCanceledException or WebSocketException or ObjectDisposedException or IOException;
}
