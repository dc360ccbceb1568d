using System.Collections.Concurrent;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// A new socket goes to the replica with the fewest sockets. Those in tunnels are counted here, because a tunnel is no longer a request
/// once its connection was handed over. The others are requests, which the proxy counts. Tickets lead to sockets that the gateway does not see, so
/// the replicas take turns in giving them. Thread-safe.
/// </summary>
internal sealed class FewestSockets : ILoadBalancingPolicy
{
    public const string PolicyName = "FewestSockets";

    // By address: a replica that was away for a while comes back with the sockets that it still holds.
    private readonly ConcurrentDictionary<string, SocketCount> _counts = new(StringComparer.OrdinalIgnoreCase);

    private uint _tickets;

    public string Name => PolicyName;

    public DestinationState? PickDestination(
        HttpContext context, ClusterState cluster, IReadOnlyList<DestinationState> availableDestinations)
    {
        if (availableDestinations.Count > 0 && Routes.IsTicket(context.GetReverseProxyFeature().Route.Config))
        {
            return availableDestinations[(int)(Interlocked.Increment(ref _tickets) % (uint)availableDestinations.Count)];
        }

        DestinationState? fewest = null;
        var least = int.MaxValue;
        foreach (var destination in availableDestinations)
        {
            var count = Of(destination).Value + destination.ConcurrentRequestCount;
            if (count >= least)
            {
                continue;
            }

            (fewest, least) = (destination, count);
        }
        return fewest;
    }

    public SocketCount Of(DestinationState destination) => _counts.GetOrAdd(destination.DestinationId, static _ => new SocketCount());
}

/// <summary>How many sockets are open to one replica.</summary>
internal sealed class SocketCount
{
    private int _value;

    public int Value => Volatile.Read(ref _value);

    public void Add() => Interlocked.Increment(ref _value);

    public void Remove() => Interlocked.Decrement(ref _value);
}
