using System.Globalization;
using System.Runtime.InteropServices;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AspireChat.LocalHost.Running;

/// <summary>Starts the resources of the model as processes, in the order of their waits, and stops them in the reverse order.</summary>
internal sealed class LocalOrchestrator : IHostedService
{
    private readonly DistributedApplicationModel _model;
    private readonly DataDirectory _data;
    private readonly HostConsole _console;
    private readonly ProcessSpawner _spawner;
    private readonly ResourceNotificationService _notifications;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly EndpointAllocator _allocator;
    private readonly ReplicaServices _services;
    private readonly List<Replica> _replicas = [];
    private readonly List<Task> _databases = [];
    private readonly CancellationTokenSource _stopping = new();
    private Task _stopped = Task.CompletedTask;
    private bool _started;
    private string? _failure;

    public LocalOrchestrator(
        DistributedApplicationModel model,
        DistributedApplicationExecutionContext execution,
        DataDirectory data,
        HostConsole console,
        ProcessSpawner spawner,
        ResourceNotificationService notifications,
        ResourceLoggerService logs,
        IHostApplicationLifetime lifetime,
        IOptions<LocalHostOptions> options,
        EndpointAllocator allocator,
        TimeProvider time)
    {
        _model = model;
        _data = data;
        _console = console;
        _spawner = spawner;
        _notifications = notifications;
        _lifetime = lifetime;
        _time = time;
        _allocator = allocator;
        _services = new ReplicaServices(
            notifications, logs, console, spawner, new ResourceEnvironments(execution), new DependencyWaits(notifications),
                options.Value, time)
        {
            Failed = Fail,
        };
        notifications.Explain = id => _failure ?? _services.Explain(id, -1);
    }

    /// <summary>True when a resource that the application cannot do without did not start.</summary>
    public bool FailedToStart => _failure is not null;

    public IReadOnlyList<Replica> Replicas => _replicas;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var launchers = _model.Resources.Select(r => (Resource: r, Launcher: LauncherOf(r))).Where(r => r.Launcher is not null).ToList();
        foreach (var (_, launcher) in launchers) launcher!.Check();
        _data.Open();
        _started = true;
        _allocator.Allocate(_model.Resources);
        foreach (var (resource, launcher) in launchers)
        {
            var count = EndpointAllocator.ReplicasOf(resource);
            for (var i = 0; i < count; i++)
            {
                var id = count == 1 ? resource.Name : string.Create(CultureInfo.InvariantCulture, $"{resource.Name}-{i}");
                _replicas.Add(new Replica(resource, i, id, launcher!, _services));
                _ = _notifications.PublishUpdateAsync(resource, id, s => s with
                {
                    State = KnownResourceStates.NotStarted,
                    CreationTimeStamp = _time.GetUtcNow().UtcDateTime,
                });
            }
        }

        _console.Name(_replicas.Select(r => r.Id).Concat(_model.Resources.OfType<PostgresDatabaseResource>().Select(d => d.Name)));
        foreach (var database in _model.Resources.OfType<PostgresDatabaseResource>())
            _databases.Add(Task.Run(() => CreateAsync(database), CancellationToken.None));
        foreach (var replica in _replicas) replica.Start();
        var report = new StartReport(_model, _notifications, _console, _time);
        _ = Task.Run(() => report.WatchAsync(_replicas, _stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_stopping)
        {
            if (!_started) return _stopped;
            _started = false;
            return _stopped = EndAllAsync();
        }
    }

    // Each level holds the resources that only wait for those of the levels before it.
    private async Task EndAllAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);

        // The first Ctrl+C brought us here; another one means now.
        using var hurry = new CancellationTokenSource();
        using var again = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            hurry.Cancel();
        });
        foreach (var level in StopOrder.Levels(_model.Resources))
            await Task.WhenAll(_replicas.Where(r => level.Contains(r.Resource)).Select(r => r.EndAsync(hurry.Token))).ConfigureAwait(false);
        await Task.WhenAll(_databases).ConfigureAwait(false);
        _data.Dispose();
    }

    private async Task CreateAsync(PostgresDatabaseResource database)
    {
        var began = _time.GetTimestamp();
        try
        {
            await _notifications.PublishUpdateAsync(database, s => s with { State = KnownResourceStates.Waiting }).ConfigureAwait(false);
            await _notifications.WaitForResourceHealthyAsync(database.Parent.Name, _stopping.Token).ConfigureAwait(false);
            await PostgresServer.CreateDatabaseAsync(database, _stopping.Token).ConfigureAwait(false);
            await _notifications.PublishUpdateAsync(
                database, s => s with { State = KnownResourceStates.Running, HealthStatus = HealthStatus.Healthy }).ConfigureAwait(false);
            _console.Progress(database.Name, "healthy", $"database of {database.Parent.Name}", _time.GetElapsedTime(began));
        }
        catch (OperationCanceledException)
        {
            // The host ends.
        }
        catch (Exception e)
        {
            await _notifications.PublishUpdateAsync(database,
                s => s with { State = KnownResourceStates.FailedToStart }).ConfigureAwait(false);
            Fail($"{database.Name} could not be created: {e.Message}");
        }
    }

    private ILauncher? LauncherOf(IResource resource) => resource switch
    {
        RedisResource redis => new RedisServer(redis, _data),
        PostgresServerResource postgres => new PostgresServer(postgres, _data, _spawner, _console),
        ProjectResource project => new ProjectLauncher(project),
        ExecutableResource executable => new ExecutableLauncher(executable),
        _ => null,
    };

    private void Fail(string reason)
    {
        if (Interlocked.CompareExchange(ref _failure, reason, null) is not null) return;
        _console.Error(reason);
        _lifetime.StopApplication();
    }
}
