using System.Collections.Concurrent;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.Chaos.Faults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace AspireChat.Chaos.Stack;

/// <summary>
/// The AppHost as chaos runs and acceptance tests start it, with real servers, temporary data and free ports. It finds the processes of the
/// resources in what the host publishes about them. It can start a killed process again, as an orchestrator does in production.
/// Thread-safe.
/// </summary>
internal sealed class RunningAppHost : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _resources = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;

    private RunningAppHost(DistributedApplication application)
    {
        Application = application;
        _watching = WatchAsync();
    }

    public DistributedApplication Application { get; }

    /// <summary>Returns when the gateway is healthy.</summary>
    /// <param name="settings">Settings of the AppHost, as on its command line.</param>
    /// <param name="change">Changes the resources before they are started.</param>
    public static async Task<RunningAppHost> StartAsync(
        string[] settings, Action<IDistributedApplicationTestingBuilder>? change, CancellationToken cancellationToken)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            ["ASPIRECHAT_PORT=0", "Data:Temporary=true", .. settings], cancellationToken);
        // Otherwise every line of every resource would appear on the console of the run.
        builder.Services.AddLogging(logging => logging.ClearProviders());
        change?.Invoke(builder);
        var host = new RunningAppHost(await builder.BuildAsync(cancellationToken));
        try
        {
            await host.Application.StartAsync(cancellationToken);
            await host.Application.ResourceNotifications.WaitForResourceHealthyAsync("gateway", cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The names of a resource's instances, in a fixed order. Commands and states need these names, to which the host adds a random part.
    /// </summary>
    public IReadOnlyList<string> Instances(string resource) =>
        [.. _resources.Where(known => known.Value == resource).Select(known => known.Key).Order(StringComparer.Ordinal)];

    /// <summary>The program of a running instance, without what the orchestrator wraps it in. Null while there is none.</summary>
    public int? ProcessOf(string instance) =>
        StateOf(instance) is { } known && known.State?.Text == KnownResourceStates.Running && ExecutableOf(known) is { } id
            ? Processes.ProgramIn(id)
            : null;

    /// <summary>The process that the orchestrator started for an instance; null while there is none.</summary>
    public static int? ExecutableOf(CustomResourceSnapshot state) =>
        state.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is { } id
            ? Convert.ToInt32(id, CultureInfo.InvariantCulture)
            : null;

    public bool IsHealthy(string instance) => StateOf(instance)?.HealthStatus == HealthStatus.Healthy;

    /// <summary>kill -9. Nothing starts the instance again until <see cref="StartAsync(string, CancellationToken)"/>.</summary>
    public async Task KillAsync(string instance, CancellationToken cancellationToken)
    {
        if (ProcessOf(instance) is not { } process)
        {
            return;
        }

        Processes.Signal("KILL", process);
        await Application.ResourceNotifications.WaitForResourceAsync(
            _resources[instance],
            change => change.ResourceId == instance && KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text),
            cancellationToken);
    }

    /// <summary>Starts an instance that has ended. Returns when it is healthy.</summary>
    public async Task StartAsync(string instance, CancellationToken cancellationToken)
    {
        await CommandAsync(instance, KnownResourceCommands.StartCommand, cancellationToken);
        await HealthyAsync(instance, cancellationToken);
    }

    /// <summary>Stops an instance gracefully and starts it again. Returns when it is healthy.</summary>
    public async Task RestartAsync(string instance, CancellationToken cancellationToken)
    {
        await CommandAsync(instance, KnownResourceCommands.RestartCommand, cancellationToken);
        await HealthyAsync(instance, cancellationToken);
    }

    /// <exception cref="InvalidOperationException">The host refused, or the command failed.</exception>
    public async Task CommandAsync(string instance, string command, CancellationToken cancellationToken)
    {
        var result = await Application.ResourceCommands.ExecuteCommandAsync(instance, command, cancellationToken);
        if (!result.Success)
        {
            throw new InvalidOperationException($"{command} of {instance} failed: {result.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
        await Application.DisposeAsync();
    }

    private Task HealthyAsync(string instance, CancellationToken cancellationToken) =>
        Application.ResourceNotifications.WaitForResourceAsync(
            _resources[instance],
            change => change.ResourceId == instance && change.Snapshot.State?.Text == KnownResourceStates.Running
                && change.Snapshot.HealthStatus == HealthStatus.Healthy,
            cancellationToken);

    private CustomResourceSnapshot? StateOf(string instance) =>
        Application.ResourceNotifications.TryGetCurrentState(instance, out var known) ? known.Snapshot : null;

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var change in Application.ResourceNotifications.WatchAsync(_end.Token))
            {
                if (change.ResourceId != change.Resource.Name)
                {
                    _resources[change.ResourceId] = change.Resource.Name;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
