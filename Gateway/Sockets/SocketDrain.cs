using AspireChat.Gateway.Routing;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Sockets;

/// <summary>
/// Cuts open sockets when the gateway stops, each after a random part of the drain time. Without this the host would wait its whole
/// shutdown timeout for connections that never end, and then cut all of them in one moment.
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
        ITimer? cut = null;
        using (lifetime.ApplicationStopping.Register(() =>
        {
            var wait = options.Value.DrainTime * Random.Shared.NextDouble();
            cut = time.CreateTimer(static state => ((HttpContext)state!).Abort(), context, wait, Timeout.InfiniteTimeSpan);
        }))
        {
            await next(context);
        }
        // Disposing the registration waited for a callback under way, so the timer is known by now.
        if (cut is not null) await cut.DisposeAsync();
    }
}
