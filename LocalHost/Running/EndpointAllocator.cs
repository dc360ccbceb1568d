using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace AspireChat.LocalHost.Running;

/// <summary>
/// Gives every endpoint of every replica its port, for the life of the host: a restarted process comes back where it was.
/// </summary>
internal sealed class EndpointAllocator(IConfiguration configuration)
{
    public static int ReplicasOf(IResource resource) => resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;

    /// <exception cref="DistributedApplicationException">A fixed port is in use, or is asked for by several replicas.</exception>
    public void Allocate(IEnumerable<IResource> resources)
    {
        // The testing builder's setting, as in the genuine host: tests in parallel must not meet on a fixed port.
        var random = configuration.GetValue<bool>("DcpPublisher:RandomizePorts");
        var taken = new HashSet<int>();
        var endpoints = resources
            .SelectMany(r => r.Annotations.OfType<EndpointAnnotation>(), (Resource, Endpoint) => (Resource, Endpoint)).ToList();
        foreach (var (resource, endpoint) in endpoints) taken.UnionWith(random || endpoint.Port is null ? [] : [endpoint.Port.Value]);
        foreach (var (resource, endpoint) in endpoints)
        {
            var replicas = ReplicasOf(resource);
            var fixedPort = random ? null : endpoint.Port ?? (endpoint.IsProxied ? null : endpoint.TargetPort);
            if (fixedPort is { } port)
            {
                if (replicas > 1)
                    throw new DistributedApplicationException(
                        $"'{resource.Name}' has {replicas} replicas and the fixed port {port}; " +
                        "without a proxy only one of them can have it.");
                if (!Ports.IsFree(port))
                    throw new DistributedApplicationException(
                        $"Port {port} of '{resource.Name}' is in use: stop what listens there" +
                        (endpoint.IsExternal ? ", or choose another with ASPIRECHAT_PORT=<port> (0: any free one)." : "."));
            }

            endpoint.ReplicaEndpoints =
            [
                .. Enumerable.Range(0, replicas)
                    .Select(_ => new AllocatedEndpoint(endpoint, endpoint.TargetHost, fixedPort ?? Ports.Free(taken))),
            ];
            endpoint.AllocatedEndpoint = endpoint.ReplicaEndpoints[0];
        }
    }
}

/// <summary>What must be stopped before what.</summary>
internal static class StopOrder
{
    /// <summary>Levels of resources, the first to stop first: those that nothing waits for.</summary>
    public static IReadOnlyList<IReadOnlyCollection<IResource>> Levels(IEnumerable<IResource> resources)
    {
        var left = resources.ToHashSet();
        List<IReadOnlyCollection<IResource>> levels = [];
        while (left.Count > 0)
        {
            var needed = left.SelectMany(Needs).ToHashSet();
            var level = left.Where(r => !needed.Contains(r)).ToHashSet();
            if (level.Count == 0) level = [.. left]; // Resources that wait for each other never started; any order will do.
            levels.Add(level);
            left.ExceptWith(level);
        }

        return levels;
    }

    private static IEnumerable<IResource> Needs(IResource resource)
    {
        var waits = resource.Annotations.OfType<WaitAnnotation>().Select(w => w.Resource);
        return resource is IResourceWithParent child ? waits.Append(child.Parent) : waits;
    }
}
