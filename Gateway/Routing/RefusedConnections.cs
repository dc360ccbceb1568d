using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// A replica that refuses a connection is left out for two probe intervals. So a killed one costs one attempt, and not one for each client
/// until the next probe. The only address of a service stays in: the next attempt finds out as fast as any bookkeeping would.
/// </summary>
internal sealed class RefusedConnections(IDestinationHealthUpdater updater) : IPassiveHealthCheckPolicy
{
    public const string PolicyName = "RefusedConnections";

    public string Name => PolicyName;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        if (!context.IsConnectFailure() || cluster.Destinations.Count < 2)
        {
            return;
        }

        var period = cluster.Model.Config.HealthCheck?.Passive?.ReactivationPeriod ?? TimeSpan.FromSeconds(5);
        updater.SetPassive(cluster, destination, DestinationHealth.Unhealthy, period);
    }
}

internal static class ConnectFailures
{
    /// <summary>The destination has seen nothing of the request, so another one may be tried.</summary>
    public static bool IsConnectFailure(this HttpContext context) => context.Features.Get<IForwarderErrorFeature>() switch
    {
        { Exception: HttpRequestException fault } =>
            fault.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError,
        // The handler's connect timeout. When the client leaves, the inner exception is another one.
        { Exception: OperationCanceledException { InnerException: TimeoutException }, Error: ForwarderError.Request } => true,
        _ => false,
    };
}
