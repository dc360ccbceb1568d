using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.ServiceDiscovery;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace AspireChat.Gateway.Routing;

/// <summary>
/// Turns a service's name into the addresses of its replicas. Service discovery gives one address or several. An address that is a DNS name
/// (in containers) is looked up here, and each of its addresses is a destination. In <c>Microsoft.Extensions.ServiceDiscovery.Yarp</c> they
/// are one destination, and all sockets go to the address that the first answer named. <c>localhost</c> is not looked up: its IPv4 and IPv6
/// addresses are one process.
/// <para>A service that cannot be found is no error, not even at the start. The known addresses are kept, and it is looked up again.</para>
/// </summary>
internal sealed class ServiceDestinations(
    ServiceEndpointResolver discovery,
    INameLookup names,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<ServiceDestinations> logger)
    : IDestinationResolver
{
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.OrdinalIgnoreCase);

    public async ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, DestinationConfig>(StringComparer.OrdinalIgnoreCase);
        List<IChangeToken> changes = [];
        foreach (var (cluster, destination) in destinations)
        {
            var service = new Uri(destination.Address);
            var source = await discovery.GetEndpointsAsync(service.GetLeftPart(UriPartial.Authority), cancellationToken);
            changes.Add(source.ChangeToken);
            var isLookedUp = false;
            foreach (var endpoint in source.Endpoints)
            {
                var address = AddressOf(endpoint.EndPoint, service);
                IReadOnlyList<string> replicas = [address.GetLeftPart(UriPartial.Authority)];
                if (IsName(address))
                {
                    replicas = await LookUpAsync(cluster, address, cancellationToken);
                    isLookedUp = true;
                }
                // The address is the key, so a destination that is still there keeps its health and its count of sockets.
                foreach (var replica in replicas)
                {
                    found.TryAdd(replica, destination with { Address = replica, Host = address.Authority });
                }
            }
            if (isLookedUp)
            {
                changes.Add(After(options.Value.DnsRefresh));
            }
        }
        return new ResolvedDestinationCollection(found, new CompositeChangeToken(changes));
    }

    private async Task<IReadOnlyList<string>> LookUpAsync(string cluster, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            // The gateway's start waits for this, and the resolver takes many seconds while a name server is down.
            var addresses = await names.LookUpAsync(address.DnsSafeHost, cancellationToken)
                .WaitAsync(options.Value.ConnectTimeout, time, cancellationToken);
            // A replica with both kinds of address would be counted twice.
            var family = addresses.Any(each => each.AddressFamily == AddressFamily.InterNetwork)
                ? AddressFamily.InterNetwork
                : AddressFamily.InterNetworkV6;
            string[] replicas = [.. addresses.Where(each => each.AddressFamily == family)
                .Select(each => $"{address.Scheme}://{new IPEndPoint(each, address.Port)}").Order(StringComparer.Ordinal)];
            _known[address.Authority] = new Known(replicas, IsMissing: false);
            return replicas;
        }
        catch (Exception fault) when (fault is SocketException or TimeoutException)
        {
            var known = _known.GetValueOrDefault(address.Authority) ?? new Known([], IsMissing: false);
            // Logged once per outage, because the next lookup is only seconds away.
            if (!known.IsMissing)
            {
                logger.AddressesNotFound(cluster, address.Authority, fault.Message, known.Replicas.Count);
            }

            _known[address.Authority] = known with { IsMissing = true };
            return known.Replicas;
        }
    }

    private static Uri AddressOf(EndPoint endpoint, Uri service) => endpoint switch
    {
        UriEndPoint uri => uri.Uri,
        DnsEndPoint { Port: 0 } dns => new Uri($"{service.Scheme}://{dns.Host}"),
        DnsEndPoint dns => new Uri($"{service.Scheme}://{dns.Host}:{dns.Port}"),
        _ => new Uri($"{service.Scheme}://{endpoint}"),
    };

    private static bool IsName(Uri address) =>
        address.HostNameType == UriHostNameType.Dns && !string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase);

    private sealed record Known(IReadOnlyList<string> Replicas, bool IsMissing);

    private CancellationChangeToken After(TimeSpan delay) => new(new CancellationTokenSource(delay, time).Token);
}

/// <summary>Looks names up in DNS.</summary>
internal interface INameLookup
{
    /// <exception cref="SocketException">The name is unknown, or no name server answers.</exception>
    Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancellationToken);
}

/// <summary>The system's resolver, hosts file included.</summary>
internal sealed class SystemNameLookup : INameLookup
{
    public Task<IPAddress[]> LookUpAsync(string name, CancellationToken cancellationToken) =>
        Dns.GetHostAddressesAsync(name, cancellationToken);
}
