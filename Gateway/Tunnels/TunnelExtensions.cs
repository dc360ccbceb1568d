using AspireChat.WebSockets;
using Yarp.ReverseProxy.Forwarder;

namespace AspireChat.Gateway.Tunnels;

internal static class TunnelExtensions
{
    /// <summary>Puts tunnels before the proxy's forwarder. Call it after the proxy is registered.</summary>
    public static void AddTunnels(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        var inner = services.Last(service => service.ServiceType == typeof(IHttpForwarder));
        services.Remove(inner);
        services.AddConnectionHandover();
        services.AddSingleton<TunnelMetrics>();
        services.AddSingleton<TunnelDrain>();
        services.AddHostedService(provider => provider.GetRequiredService<TunnelDrain>());
        services.AddSingleton<IHttpForwarder>(provider => ActivatorUtilities.CreateInstance<TunnelForwarder>(provider,
            (IHttpForwarder)ActivatorUtilities.CreateInstance(provider, inner.ImplementationType!)));
    }
}
