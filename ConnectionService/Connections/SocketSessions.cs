using System.Diagnostics;
using System.Net.WebSockets;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Node;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Profiles;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;
using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// Each socket from the upgrade to its end: welcome, the read loop (one frame at a time: what a client sends too fast waits in TCP),
/// close. Thread-safe.
/// </summary>
internal sealed class SocketSessions(
    IOptions<SocketOptions> options,
    FrameHandlers handlers,
    UserBudgets budgets,
    OpenSockets open,
    HubDirectory hubs,
    IPresenceReporter presence,
    UserProfiles profiles,
    ITokenRevocations revocations,
    NodeIdentity node,
    SocketMetrics metrics,
    TimeProvider time,
    ILogger<SocketSessions> logger)
{
    /// <summary>Between two looks at whether a client that sends is still there.</summary>
    private static readonly TimeSpan LookAfter = TimeSpan.FromSeconds(1);

    private readonly SocketOptions _options = options.Value;
    private readonly FrameLimits _limits = options.Value.Frames;

    /// <param name="id">The connection's, unique in the system.</param>
    /// <param name="aborted">The transport is gone.</param>
    public async Task RunAsync(ISocketChannel channel, string id, ChatUser user, CancellationToken aborted)
    {
        // A socket outlives the request that opened it, and what comes over it is no part of that one's trace.
        Activity.Current = null;
        var outbound = channel.Outbound;
        if (!budgets.TryOpen(user.Id, out var refusal))
        {
            SocketLog.TooManyConnections(logger, user.Id, refusal);
            metrics.Refused(ErrorCodes.Limit);
            outbound.Send(OutboundFrame.Of(ErrorFrame.Of(new FrameError(ErrorCodes.Limit, refusal))));
            // A code that allows coming back: often the others are dead connections whose end was not noticed yet.
            outbound.Close(CloseCodes.Overloaded, "too many connections");
            await DiscardAsync(channel, aborted);
            outbound.End();
            return;
        }

        var budget = budgets.Of(user.Id);
        // Before presence and the hub hear of the connection: whoever they name it to is told the profile as well.
        var profile = await profiles.ConnectedAsync(user.Id, user.Profile);
        var connection = new Connection(id, user.Id, outbound, user.Expires.ToUnixTimeMilliseconds())
        {
            Welcome = Welcome(id, user), OpenedAt = time.GetUtcNow().ToUnixTimeMilliseconds(), ReplayBudget = budget.Replays,
            IssuedAt = user.IssuedAt ?? 0, Grants = user.Rooms,
        };
        connection.Show(profile);
        var started = time.GetTimestamp();
        metrics.Opened();
        SocketLog.Opened(logger, id, user.Id);
        open.Add(connection);
        presence.ConnectionOpened(user.Id);
        try
        {
            hubs.OfUser(user.Id).Post(new HubMessage.Opened(connection));
            if (await connection.Welcomed.WaitAsync(aborted))
            {
                // The order may have come between the check of the token and the hub's first knowledge of the connection.
                if (await user.StateInAsync(revocations) == RevocationState.Revoked)
                {
                    outbound.Close(CloseCodes.Forbidden, "the token was revoked");
                }

                await ReadAsync(channel, connection, budget, aborted);
            }

            await DiscardAsync(channel, aborted);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The client is gone.
        }
        catch (Exception e)
        {
            SocketLog.Failed(logger, e, id);
            outbound.Close(CloseStatus.InternalError, "server error");
            await outbound.Closed;
        }
        finally
        {
            connection.MarkClosed();
            hubs.PostToAll(new HubMessage.Closed(connection));
            presence.ConnectionClosed(user.Id);
            open.Remove(connection);
            budgets.Close(user.Id);
            metrics.Closed();
            outbound.End();
            SocketLog.Ended(logger, id, user.Id, time.GetElapsedTime(started).TotalSeconds);
        }
    }

    /// <summary>Returns when the connection is to end: its client said so, or its queue is sealed.</summary>
    private async Task ReadAsync(ISocketChannel channel, Connection connection, UserBudget budget, CancellationToken aborted)
    {
        var outbound = channel.Outbound;
        var handler = handlers.For(connection, budget);
        var frames = new TokenBucket(_options.FramesPerSecond, _options.FrameBurst, time);
        var seenAt = time.GetTimestamp();
        while (outbound.CloseCode == 0)
        {
            var message = await channel.ReadAsync(aborted);
            // A client that was read slowly may have gone meanwhile. What it has left behind is work for nobody.
            if (time.GetElapsedTime(seenAt) > LookAfter)
            {
                seenAt = time.GetTimestamp();
                var isBehind = frames.IsSpent || budget.Frames.IsSpent || budget.Conversations.IsSpent;
                if (isBehind && channel.IsClientGone)
                {
                    return;
                }
            }
            var isMessage = message is MessageKind.Text or MessageKind.TooLarge;
            await PaceAsync(frames, budget.Frames, isMessage ? 1 + channel.MessageBytes / _options.BytesPerFrame : 1, aborted);
            switch (message)
            {
                case MessageKind.Text:
                    if (ClientFrameReader.TryRead(channel.Text, _limits, out var frame, out var error))
                    {
                        await handler.HandleAsync(in frame, aborted);
                    }
                    else
                    {
                        handler.Refuse(error);
                    }

                    break;
                case MessageKind.TooLarge:
                    handler.Refuse(new FrameError(ErrorCodes.TooLarge, $"a frame has at most {_options.FrameBytes} bytes"));
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
    /// Frames cost work even where no limit of the protocol counts them (ping, pong, typing, read): a connection that sends too many is read
    /// more slowly, and so are the connections of a user who sends too many over all of them. A long frame costs as much as several.
    /// </summary>
    private static async ValueTask PaceAsync(TokenBucket connections, TokenBucket users, long price, CancellationToken aborted)
    {
        // Both are charged before the wait, which then covers both.
        var own = connections.PayAsync(price, aborted);
        await users.PayAsync(price, aborted);
        await own;
    }

    private static async Task DiscardAsync(ISocketChannel channel, CancellationToken aborted)
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

    private OutboundFrame Welcome(string id, ChatUser user) => OutboundFrame.Of(new WelcomeFrame(
        user.Id, id, node.Name, (int)_options.Heartbeat.TotalSeconds, Timestamps.ToText(user.Expires)));

    private static bool IsEnd(Exception e) =>
        e is OperationCanceledException or WebSocketException or ObjectDisposedException or IOException;
}
