using Aspire.Hosting.ApplicationModel;
using AspireChat.LocalHost.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>The running application. Disposing it stops every process it started.</summary>
public class DistributedApplication : IHost, IAsyncDisposable
{
    private readonly IHost _host;
    private readonly EntryPointInterception? _intercepted;
    private int _disposed;

    public DistributedApplication(IHost host)
        : this(host, null)
    {
    }

    internal DistributedApplication(IHost host, EntryPointInterception? intercepted)
    {
        _host = host;
        _intercepted = intercepted;
    }

    public IServiceProvider Services => _host.Services;

    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();

    public ResourceCommandService ResourceCommands => Services.GetRequiredService<ResourceCommandService>();

    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);

    public static IDistributedApplicationBuilder CreateBuilder(string[] args) =>
        CreateBuilder(new DistributedApplicationOptions { Args = args });

    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) =>
        new DistributedApplicationBuilder(options);

    /// <summary>Starts the resources; returns when they are on their way, not when they are healthy.</summary>
    public virtual Task StartAsync(CancellationToken cancellationToken = default) => _host.StartAsync(cancellationToken);

    public virtual async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await _host.StopAsync(cancellationToken).ConfigureAwait(false);
        _intercepted?.OnStopped();
    }

    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>
    /// Runs until Ctrl+C or SIGTERM. A fault of the set-up is printed in one line and makes the exit code 1. Under the testing builder the
    /// test starts and stops the application, and this only waits for its end.
    /// </summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (_intercepted is { } intercepted)
        {
            await intercepted.Stopped.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        Signals.HeedInterrupts();
        Signals.FollowDotnetRun();
        var console = Services.GetRequiredService<HostConsole>();
        var orchestrator = Services.GetRequiredService<LocalOrchestrator>();
        try
        {
            await _host.StartAsync(cancellationToken).ConfigureAwait(false);
            await _host.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DistributedApplicationException e)
        {
            console.Error(e.Message);
            Environment.ExitCode = 1;
        }
        catch (OperationCanceledException)
        {
            // Interrupted while starting: what was started is stopped below.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }

        if (orchestrator.FailedToStart) Environment.ExitCode = 1;
    }

    public virtual void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await Services.GetRequiredService<LocalOrchestrator>().StopAsync(CancellationToken.None).ConfigureAwait(false);
        _intercepted?.OnStopped();
        await ((IAsyncDisposable)_host).DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
