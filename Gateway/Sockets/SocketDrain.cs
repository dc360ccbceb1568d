using AspireChat.Contracts.Frames;
using AspireChat.Gateway.Routing;
using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// Sends clients away when the gateway stops, each after a random part of the drain time. They get the frames of a draining node, come back
/// through another gateway, and lose nothing that was acknowledged. New connections are refused at once. A socket whose client does not
/// answer in time is cut, because the host would wait its whole shutdown timeout for it.
/// </summary>
internal sealed class SocketDrain(
    RequestDelegate next, IHostApplicationLifetime lifetime, IOptions<GatewayOptions> options, TimeProvider time)
{
    /// <summary>What a client that is sent away gets last, from a draining node too: <c>reconnect</c> and a close with 1012.</summary>
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
        // Disposing of the registration waited for a callback that was running, so the task is known by now.
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
