using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AspireChat.LocalHost.Running;

/// <summary>
/// One replica of a resource, for the life of the host: waits for what it needs, runs its process, watches its health, starts it again.
/// One loop owns the state; commands are posted to it.
/// </summary>
internal sealed class Replica(IResource resource, int index, string id, ILauncher launcher, ReplicaServices services)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstCheckPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastCheckPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan HealthyPause = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _wanted = Completed();
    private ChildProcess? _child;
    private Task _loop = Task.CompletedTask;
    private bool _held;
    private bool _everHealthy;

    public IResource Resource => resource;

    public string Id => id;

    private bool IsServer => launcher is RedisServer or PostgresServer;

    private string? Address =>
        resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault() is { ReplicaEndpoints: { Count: > 0 } addresses } endpoint
        ? endpoint.UriScheme is "http" or "https" ? addresses[index].UriString : addresses[index].EndPointString
        : null;

    public void Start() => _loop = Task.Run(LoopAsync);

    /// <summary>Stops the process and keeps it stopped until <see cref="Want"/>.</summary>
    public async Task HoldAsync()
    {
        ChildProcess? child;
        lock (_lock)
        {
            if (_wanted.Task.IsCompleted) _wanted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            child = _child;
            if (child is null) return;
            _held = true;
            Publish(s => s with { State = KnownResourceStates.Stopping, HealthStatus = null });
        }

        await child.StopAsync(services.StopGrace, services.Time, CancellationToken.None).ConfigureAwait(false);
        await services.Notifications.WaitForResourceAsync(id,
            e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text)).ConfigureAwait(false);
    }

    /// <summary>Lets the process run again.</summary>
    public void Want()
    {
        lock (_lock) _wanted.TrySetResult();
    }

    /// <summary>Ends the replica for good; when <paramref name="hurry"/> fires, without grace.</summary>
    public async Task EndAsync(CancellationToken hurry)
    {
        ChildProcess? child;
        lock (_lock)
        {
            _ended.Cancel();
            child = _child;
        }

        if (child is not null) await child.StopAsync(services.StopGrace, services.Time, hurry).ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private async Task LoopAsync()
    {
        var backoff = FirstBackoff;
        try
        {
            Publish(s => s with { State = KnownResourceStates.Waiting });
            await services.Dependencies.WaitAsync(resource, _ended.Token).ConfigureAwait(false);
            while (true)
            {
                await _wanted.Task.WaitAsync(_ended.Token).ConfigureAwait(false);
                _ended.Token.ThrowIfCancellationRequested();
                var began = services.Time.GetTimestamp();
                var (exitCode, held) = await RunOnceAsync().ConfigureAwait(false);
                if (held || _ended.IsCancellationRequested) continue;
                if (!AfterExit(exitCode)) return;

                // It does not wait for its dependencies again: one of them may be what made it crash, and services bear their absence.
                if (services.Time.GetElapsedTime(began) > Settled) backoff = FirstBackoff;
                services.Console.Line($"{id} is started again in {backoff.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s");
                await Task.Delay(backoff, services.Time, _ended.Token).ConfigureAwait(false);
                backoff = backoff * 2 < LastBackoff ? backoff * 2 : LastBackoff;
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The host ends.
        }
        catch (Exception e)
        {
            Publish(s => s with { State = KnownResourceStates.FailedToStart, HealthStatus = HealthStatus.Unhealthy });
            services.Failed($"{id} failed to start: {e.Message}");
        }
    }

    private async Task<(int ExitCode, bool Held)> RunOnceAsync()
    {
        var began = services.Time.GetTimestamp();
        Publish(s => s with { State = KnownResourceStates.Starting, ExitCode = null, HealthStatus = null });
        var arguments = await services.Environments.ArgumentsAsync(resource, _ended.Token).ConfigureAwait(false);
        var launch = await launcher.PrepareAsync(index, arguments, _ended.Token).ConfigureAwait(false);
        var environment = await services.Environments.VariablesAsync(resource, index, _ended.Token).ConfigureAwait(false);
        foreach (var (name, value) in launch.Environment) environment[name] = value;
        var child = await services.Spawner.StartAsync(launch with { Environment = environment }, OnLine).ConfigureAwait(false);
        bool late;
        lock (_lock)
        {
            _child = child;
            late = _ended.IsCancellationRequested || !_wanted.Task.IsCompleted;
            _held |= late;
        }

        // A stop that came between the decision to start and the start found no process to stop.
        if (late) await child.StopAsync(services.StopGrace, services.Time, CancellationToken.None).ConfigureAwait(false);

        var checks = resource.Annotations.OfType<ReplicaHealthCheck>().ToList();
        Publish(s => s with
        {
            State = KnownResourceStates.Running,
            HealthStatus = checks.Count == 0 ? HealthStatus.Healthy : null,
            StartTimeStamp = services.Time.GetUtcNow().UtcDateTime,
            StopTimeStamp = null,
            Properties = [new("executable.pid", child.Id), new("executable.path", launch.Command)],
            Urls = Address is { } url ? [new UrlSnapshot(null, url, false)] : [],
            EnvironmentVariables = [.. environment.Select(v => new EnvironmentVariableSnapshot(v.Key, v.Value, true))],
        });
        using var exited = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        var health = WatchHealthAsync(checks, began, exited.Token);
        var exitCode = await child.Exited.ConfigureAwait(false);
        await exited.CancelAsync().ConfigureAwait(false);
        await health.ConfigureAwait(false);

        // Its last words; not for ever, a grandchild may hold the pipe.
        await Task.WhenAny(child.Output, Task.Delay(TimeSpan.FromSeconds(1), services.Time, CancellationToken.None)).ConfigureAwait(false);
        lock (_lock)
        {
            _child = null;
            Publish(s => s with
            {
                State = exitCode == 0 ? KnownResourceStates.Finished : KnownResourceStates.Exited,
                ExitCode = exitCode,
                HealthStatus = null,
                StopTimeStamp = services.Time.GetUtcNow().UtcDateTime,
                Properties = [],
            });
            var held = _held;
            _held = false;
            return (exitCode, held);
        }
    }

    /// <summary>Reports an exit that no one asked for; true if the process is to be started again.</summary>
    private bool AfterExit(int exitCode)
    {
        var restarts = IsServer || resource is ProjectResource;
        if (exitCode == 0 && !restarts)
        {
            services.Console.Progress(id, "finished", null, TimeSpan.Zero);
            return false;
        }

        var report = services.Explain(id, exitCode);
        if (IsServer && !_everHealthy)
        {
            Publish(s => s with { State = KnownResourceStates.FailedToStart, HealthStatus = HealthStatus.Unhealthy });
            services.Failed(report);
            return false;
        }

        services.Console.Error(report);
        return restarts && services.RestartCrashed;
    }

    private async Task WatchHealthAsync(List<ReplicaHealthCheck> checks, long began, CancellationToken cancellationToken)
    {
        if (checks.Count == 0) services.Console.Progress(id, "running", Address, services.Time.GetElapsedTime(began));
        var pause = FirstCheckPause;
        var healthy = false;
        try
        {
            while (checks.Count > 0)
            {
                var status = await CheckAsync(checks, cancellationToken).ConfigureAwait(false);
                var before = healthy;
                healthy = status == HealthStatus.Healthy;
                Publish(s => s.HealthStatus == status ? s : s with { HealthStatus = status });
                if (healthy != before)
                    services.Console.Progress(id, healthy ? "healthy" : "unhealthy", Address, services.Time.GetElapsedTime(began));
                _everHealthy |= healthy;

                // Often while it starts or is ill, now and then once it is well.
                pause = healthy ? HealthyPause : before ? FirstCheckPause : pause < LastCheckPause ? pause * 1.2 : LastCheckPause;
                await Task.Delay(pause, services.Time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process ended, or the host does.
        }
    }

    private async Task<HealthStatus> CheckAsync(List<ReplicaHealthCheck> checks, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var check in checks)
            {
                var result = await check.Check(index, cancellationToken).ConfigureAwait(false);
                if (result.Status != HealthStatus.Healthy) return result.Status;
            }

            return HealthStatus.Healthy;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return HealthStatus.Unhealthy; // Not listening yet, or no longer.
        }
    }

    private void OnLine(string line, bool isError)
    {
        services.Logs.Add(id, line, isError);
        services.Console.Log(id, line);
    }

    private void Publish(Func<CustomResourceSnapshot, CustomResourceSnapshot> change) =>
        _ = services.Notifications.PublishUpdateAsync(resource, id, change);

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
