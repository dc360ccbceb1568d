using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// What the probes of <c>/health</c> mean. A replica that answers that it is not ready (it drains, or has lost its subscription) gets no
/// new sockets from that moment. A replica that does not answer gets a second chance, because a busy machine is slow before it is gone. The
/// only address of a service gets three chances in either case. It may be a balancer in front of several replicas, and the probe may have
/// met the one that drains. Taking it out earlier would gain nothing.
/// </summary>
internal sealed class ProbedHealth(IDestinationHealthUpdater updater, ILogger<ProbedHealth> logger) : IActiveHealthCheckPolicy
{
    public const string PolicyName = "Probed";
    private const int ChancesWhenSilent = 2;
    private const int ChancesWhenAlone = 3;

    private readonly ConditionalWeakTable<DestinationState, StrongBox<int>> _failures = [];

    public string Name => PolicyName;

    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults)
    {
        var health = new NewActiveDestinationHealth[probingResults.Count];
        List<(DestinationState Destination, DestinationHealth Health, string Reason)> changed = [];
        for (var i = 0; i < health.Length; i++)
        {
            var (destination, probe) = (probingResults[i].Destination, probingResults[i]);
            var judged = Judge(destination, probe, isAlone: health.Length == 1);
            if (judged != destination.Health.Active)
            {
                changed.Add((destination, judged, ReasonOf(probe)));
            }

            health[i] = new NewActiveDestinationHealth(destination, judged);
        }
        updater.SetActive(cluster, health);
        // Logged only now that it is in force, so that a reader of the line can rely on it.
        foreach (var (destination, judged, reason) in changed)
        {
            logger.HealthChanged(cluster.ClusterId, destination.DestinationId, judged.ToString(), reason);
        }
    }

    private DestinationHealth Judge(DestinationState destination, DestinationProbingResult probe, bool isAlone)
    {
        var failures = _failures.GetOrCreateValue(destination);
        if (probe.Response is { IsSuccessStatusCode: true })
        {
            failures.Value = 0;
            return DestinationHealth.Healthy;
        }
        failures.Value++;
        var chances = isAlone ? ChancesWhenAlone : probe.Response is null ? ChancesWhenSilent : 1;
        // Until then the last known health stays. A replica that has never answered is not called healthy.
        return failures.Value >= chances ? DestinationHealth.Unhealthy : destination.Health.Active;
    }

    private static string ReasonOf(DestinationProbingResult probe) =>
        probe.Response is { } response ? $"/health {(int)response.StatusCode}" : probe.Exception?.GetType().Name ?? "no answer";
}

/// <summary>
/// Each probe opens a new connection. A connection that is kept would always ask the same replica behind a balancer, and a replica that
/// accepts no new connections would still look healthy.
/// </summary>
internal sealed class FreshProbes : IProbingRequestFactory
{
    public HttpRequestMessage CreateRequest(ClusterModel cluster, DestinationModel destination)
    {
        var path = cluster.Config.HealthCheck?.Active?.Path;
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(destination.Config.Address), path))
        {
            Version = System.Net.HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.ConnectionClose = true;
        request.Headers.Host = destination.Config.Host;
        return request;
    }
}
