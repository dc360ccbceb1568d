using AspireChat.Gateway.Routing;
using Microsoft.AspNetCore.Http.Features;
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
                await stream.LeaveAsync(Random.Shared.Next((int)options.Value.ReconnectSpread.TotalMilliseconds + 1), ended);
                await Task.Delay(options.Value.CloseTimeout, time, ended);
            }

            context.Abort();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The socket has ended.
        }
    }

    /// <summary>Puts a <see cref="LeavableStream"/> between the client and the proxy, for HTTP/1.1 and HTTP/2.</summary>
    private sealed class LeavableUpgrade : IHttpUpgradeFeature, IHttpExtendedConnectFeature
    {
        private readonly IHttpUpgradeFeature? _upgrade;
        private readonly IHttpExtendedConnectFeature? _connect;

        public LeavableUpgrade(IFeatureCollection features)
        {
            _upgrade = features.Get<IHttpUpgradeFeature>();
            _connect = features.Get<IHttpExtendedConnectFeature>();
            if (_upgrade is not null) features.Set<IHttpUpgradeFeature>(this);
            if (_connect is not null) features.Set<IHttpExtendedConnectFeature>(this);
        }

        public LeavableStream? Stream { get; private set; }

        public bool IsUpgradableRequest => _upgrade is { IsUpgradableRequest: true };

        public bool IsExtendedConnect => _connect is { IsExtendedConnect: true };

        public string? Protocol => _connect?.Protocol;

        public async Task<Stream> UpgradeAsync() => Stream = new LeavableStream(await _upgrade!.UpgradeAsync());

        public async ValueTask<Stream> AcceptAsync() => Stream = new LeavableStream(await _connect!.AcceptAsync());
    }
}
