using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AspireChat.LocalHost.Running;

/// <summary>Says when everything is healthy and where it is; and while it is not, every 10 s what is awaited.</summary>
internal sealed class StartReport(
    DistributedApplicationModel model, ResourceNotificationService notifications, HostConsole console, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    public async Task WatchAsync(IReadOnlyList<Replica> replicas, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        try
        {
            var healthy = Task.WhenAll(replicas.Select(r => notifications.WaitForResourceAsync(
                r.Id, e => e.Snapshot.HealthStatus == HealthStatus.Healthy || e.Snapshot.State?.Text == KnownResourceStates.Finished,
                    cancellationToken)));
            while (await Task.WhenAny(healthy, Task.Delay(Interval, time, cancellationToken)).ConfigureAwait(false) != healthy)
            {
                cancellationToken.ThrowIfCancellationRequested();
                console.Line($"still waiting after {Seconds(began)} s: {string.Join(", ", replicas.Select(Awaited).OfType<string>())}");
            }

            await healthy.ConfigureAwait(false);
            console.Line("");
            console.Line(console.Bold($"Everything is healthy after {Seconds(began)} s"));
            foreach (var group in model.Resources.OfType<IResourceWithEndpoints>())
            {
                var addresses = group.Annotations.OfType<EndpointAnnotation>()
                    .Where(e => e.UriScheme is "http" or "https").SelectMany(e => e.ReplicaEndpoints).ToList();
                if (addresses.Count > 0) console.Line($"  {group.Name,-12} {string.Join("  ", addresses.Select(a => a.UriString))}");
            }

            console.Line("Ctrl+C stops everything.");
        }
        catch (OperationCanceledException)
        {
            // The host ends before everything was healthy.
        }
    }

    private string? Awaited(Replica replica)
    {
        if (!notifications.TryGetCurrentState(replica.Id, out var known) || known.Snapshot.HealthStatus == HealthStatus.Healthy)
            return null;
        if (known.Snapshot.State?.Text != KnownResourceStates.Waiting)
            return $"{replica.Id} ({known.Snapshot.State?.Text ?? "not started"})";
        var waits = replica.Resource.Annotations.OfType<WaitAnnotation>().Select(w => w.Resource.Name);
        return $"{replica.Id} (for {string.Join(" and ", waits)})";
    }

    private string Seconds(long began) => time.GetElapsedTime(began).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
}
