using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Tells the state of every replica, now and as it changes. Thread-safe.</summary>
public class ResourceNotificationService : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceEvent> _current = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Channel<ResourceEvent>> _watchers = [];
    private readonly CancellationTokenSource _disposed = new();

    /// <summary>Explains a resource that failed; set by the host, which has the log lines.</summary>
    internal Func<string, string>? Explain { get; set; }

    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory) =>
        PublishUpdateAsync(resource, resource.Name, stateFactory);

    public Task PublishUpdateAsync(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        lock (_lock)
        {
            var before = _current.TryGetValue(resourceId, out var known)
                ? known.Snapshot
                : new CustomResourceSnapshot { ResourceType = resource.GetType().Name, Properties = [] };
            var happened = new ResourceEvent(resource, resourceId, stateFactory(before));
            _current[resourceId] = happened;
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(happened);
        }

        return Task.CompletedTask;
    }

    /// <summary>The state by replica id, or by resource name where the resource has one replica.</summary>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        lock (_lock)
        {
            if (_current.TryGetValue(resourceId, out resourceEvent)) return true;
            var named = Replicas(resourceId);
            resourceEvent = named.Count == 1 ? named[0] : null;
            return resourceEvent is not null;
        }
    }

    /// <summary>Every replica's current state, then each change.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);

        // Unbounded: state changes are few, and a watcher must not miss the one it waits for.
        var watcher = Channel.CreateUnbounded<ResourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (_lock)
        {
            foreach (var known in _current.Values) watcher.Writer.TryWrite(known);
            _watchers.Add(watcher);
        }

        try
        {
            while (await watcher.Reader.WaitToReadAsync(linked.Token).ConfigureAwait(false))
                while (watcher.Reader.TryRead(out var happened)) yield return happened;
        }
        finally
        {
            lock (_lock) _watchers.Remove(watcher);
        }
    }

    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, [targetState ?? KnownResourceStates.Running], cancellationToken);

    public async Task<string> WaitForResourceAsync(
        string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default)
    {
        HashSet<string> states = new(targetStates, StringComparer.OrdinalIgnoreCase);
        var reached = await WaitForResourceAsync(
            resourceName, e => e.Snapshot.State is { } state && states.Contains(state.Text), cancellationToken).ConfigureAwait(false);
        return reached.Snapshot.State!.Text;
    }

    /// <summary>Completes at the first state of any replica that fits.</summary>
    public async Task<ResourceEvent> WaitForResourceAsync(
        string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var happened in WatchAsync(cancellationToken).ConfigureAwait(false))
            if (Concerns(happened, resourceName) && predicate(happened))
                return happened;
        throw new OperationCanceledException($"Resource '{resourceName}' did not reach the awaited state before the host stopped.");
    }

    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceHealthyAsync(resourceName, WaitBehavior.StopOnResourceUnavailable, cancellationToken);

    /// <summary>
    /// Completes when every replica is healthy (the genuine service: when any is). With
    /// <see cref="WaitBehavior.StopOnResourceUnavailable"/> a resource that failed to start ends the wait with its reason.
    /// </summary>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(
        string resourceName, WaitBehavior waitBehavior, CancellationToken cancellationToken = default)
    {
        await foreach (var happened in WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!Concerns(happened, resourceName)) continue;
            if (waitBehavior == WaitBehavior.StopOnResourceUnavailable &&
                happened.Snapshot.State?.Text == KnownResourceStates.FailedToStart)
                throw new DistributedApplicationException(
                    $"Resource '{resourceName}' failed to start. {Explain?.Invoke(happened.ResourceId)}".TrimEnd());
            if (happened.Snapshot.HealthStatus == HealthStatus.Healthy && EveryReplicaHealthy(resourceName)) return happened;
        }

        throw new OperationCanceledException($"Resource '{resourceName}' did not become healthy before the host stopped.");
    }

    public void Dispose()
    {
        _disposed.Cancel();
        GC.SuppressFinalize(this);
    }

    private static bool Concerns(ResourceEvent happened, string name) =>
        string.Equals(happened.Resource.Name, name, StringComparison.OrdinalIgnoreCase) ||
        string.Equals(happened.ResourceId, name, StringComparison.OrdinalIgnoreCase);

    private bool EveryReplicaHealthy(string name)
    {
        lock (_lock)
            return _current.Values.Where(e => Concerns(e, name)).All(e => e.Snapshot.HealthStatus == HealthStatus.Healthy);
    }

    private List<ResourceEvent> Replicas(string name) =>
        [.. _current.Values.Where(e => string.Equals(e.Resource.Name, name, StringComparison.OrdinalIgnoreCase))];
}
