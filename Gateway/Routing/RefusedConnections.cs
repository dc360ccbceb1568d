using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// A replica that cannot be connected to is left alone for two probe intervals, so that a killed one costs one attempt and not one for
/// every client until the next probe. The only address of a service stays: the next attempt tells as fast as any bookkeeping would.
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
    /// <summary>The destination has seen nothing of the request, so that another one may be tried.</summary>
    public static bool IsConnectFailure(this HttpContext context) => context.Features.Get<IForwarderErrorFeature>() switch
    {
        { Exception: HttpRequestException fault } =>
            fault.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError,
        // The handler's connect timeout, told apart from the client's own leaving by its inner exception.
        { Exception: OperationCanceledException { InnerException: TimeoutException }, Error: ForwarderError.Request } => true,
        _ => false,
    };
}
