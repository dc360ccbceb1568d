using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace AspireChat.Gateway.Routing;

internal static class RoutingExtensions
{
    public static void AddRouting(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<INameLookup, SystemNameLookup>();
        services.AddSingleton<IProxyConfigProvider, Routes>();
        services.AddSingleton<IDestinationResolver, ServiceDestinations>();
        services.AddSingleton<FewestSockets>();
        services.AddSingleton<ILoadBalancingPolicy>(provider => provider.GetRequiredService<FewestSockets>());
        services.AddSingleton<IActiveHealthCheckPolicy, ProbedHealth>();
        services.AddSingleton<IPassiveHealthCheckPolicy, RefusedConnections>();
        services.AddSingleton<IProbingRequestFactory, FreshProbes>();
        services.AddReverseProxy();
        services.AddSingleton<IForwarderHttpClientFactory>(provider =>
            new ConnectingFast(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.ConnectTimeout));
        services.AddHealthChecks().AddCheck<ReachableConnection>(Routes.Connection);
    }

    /// <summary>
    /// More than a service works on (<c>Calls:Running</c> and what waits for it), so it is the service that says no; and few enough that those of
    /// several gateways fit into the queue of connections that wait to be accepted.
    /// </summary>
    private const int CallsPerReplica = 400;

    private sealed class ConnectingFast(TimeSpan timeout) : ForwarderHttpClientFactory
    {
        protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
        {
            base.ConfigureHandler(context, handler);
            handler.ConnectTimeout = timeout;
            // Those to the connection nodes are sockets too, where they go no other way, and of these there may be any number.
            if (context.ClusterId != Routes.Connection)
            {
                handler.MaxConnectionsPerServer = CallsPerReplica;
            }
        }
    }

    /// <summary>The gateway is ready when sockets have somewhere to go: at least one connection replica has answered its probe.</summary>
    private sealed class ReachableConnection(IProxyStateLookup proxy) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var reachable = proxy.TryGetCluster(Routes.Connection, out var cluster)
                && cluster.DestinationsState.AvailableDestinations.Any(each => each.Health.Active == DestinationHealth.Healthy);
            return Task.FromResult(reachable ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("no healthy replica is known"));
        }
    }
}
