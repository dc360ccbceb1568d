using AspireChat.Contracts.Frames;
using AspireChat.Gateway.Routing;
using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// Sends clients away when the gateway stops, each after a random part of the drain time, with the frames of a draining node: they come
/// back through another gateway, and nothing that was acknowledged is lost. New connections are refused from the first moment. A socket
/// that is still there when its client had time to answer is cut, because the host would wait its whole shutdown timeout for it.
/// </summary>
internal sealed class SocketDrain(
    RequestDelegate next, IHostApplicationLifetime lifetime, IOptions<GatewayOptions> options, TimeProvider time)
{
    /// <summary>The last frames to a client that is sent away, as a draining node sends them: <c>reconnect</c>, close 1012.</summary>
    public static byte[] Farewell(GatewayOptions options)
    {
        var after = Random.Shared.Next((int)options.ReconnectSpread.TotalMilliseconds + 1);
        var reconnect = OutboundFrame.Of(ServerFrameCodec.Encode(new ReconnectFrame(after)));
        return [.. reconnect.Bytes.Span, .. CloseFrame.Encode(CloseCodes.Restart, CloseCodes.RestartReason).Bytes.Span];
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.GetReverseProxyFeature().IsSocket())
        {
            await next(context);
            return;
        }

        var client = new LeavableUpgrade(context.Features);
        using var ended = new CancellationTokenSource();
        var leaving = Task.CompletedTask;
        using (lifetime.ApplicationStopping.Register(() => leaving = SendAwayAsync(context, client, ended.Token)))
        {
            await next(context);
        }
        // Disposing the registration waited for a callback under way, so the task is known by now.
        await ended.CancelAsync();
        await leaving;
    }

    private async Task SendAwayAsync(HttpContext context, LeavableUpgrade client, CancellationToken ended)
    {
        try
        {
            await Task.Delay(options.Value.DrainTime * Random.Shared.NextDouble(), time, ended);
            if (client.Stream is { } stream)
            {
                await stream.LeaveAsync(Farewell(options.Value), ended);
                await Task.Delay(options.Value.CloseTimeout, time, ended);
            }

            context.Abort();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The socket has ended.
        }
    }
}
