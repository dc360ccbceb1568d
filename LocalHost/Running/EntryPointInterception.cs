using System.Reflection;
using Aspire.Hosting;
using Microsoft.Extensions.Hosting;

namespace AspireChat.LocalHost.Running;

/// <summary>
/// Runs an AppHost's entry point for a test, on a thread of its own: the builder it makes is handed to the test before it is built, the
/// built application too, and its <c>Run()</c> returns when the test is done.
/// </summary>
internal sealed class EntryPointInterception(
    Assembly appHost, Action<DistributedApplicationOptions, HostApplicationBuilderSettings> configure)
{
    private static readonly AsyncLocal<EntryPointInterception?> Running = new();

    private readonly TaskCompletionSource<DistributedApplicationBuilder> _builder = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _build = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DistributedApplication> _application = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The interception that this code runs under, if any.</summary>
    public static EntryPointInterception? Current => Running.Value;

    public Assembly AppHost => appHost;

    public Task Stopped => _stopped.Task;

    /// <summary>Starts the entry point; completes when it is about to build the application.</summary>
    public Task<DistributedApplicationBuilder> StartAsync(CancellationToken cancellationToken)
    {
        var entryPoint = appHost.EntryPoint ?? throw new InvalidOperationException($"{appHost.GetName().Name} has no entry point.");
        var thread = new Thread(() => Invoke(entryPoint)) { IsBackground = true, Name = "app host entry point" };
        thread.Start();
        return _builder.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Lets the entry point build.</summary>
    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken)
    {
        _build.TrySetResult();
        return _application.Task.WaitAsync(cancellationToken);
    }

    public void OnConstructing(DistributedApplicationOptions options, HostApplicationBuilderSettings settings) =>
        configure(options, settings);

    public void OnBuilding(DistributedApplicationBuilder builder)
    {
        _builder.TrySetResult(builder);
        _build.Task.GetAwaiter().GetResult();
    }

    public void OnBuilt(DistributedApplication application) => _application.TrySetResult(application);

    public void OnStopped() => _stopped.TrySetResult();

    /// <summary>Ends an entry point whose application is never built.</summary>
    public void Abandon()
    {
        _build.TrySetException(new OperationCanceledException("The test does not build the application."));
        OnStopped();
    }

    private void Invoke(MethodInfo entryPoint)
    {
        Running.Value = this;
        try
        {
            object?[] arguments = entryPoint.GetParameters().Length == 0 ? [] : [Array.Empty<string>()];
            var result = entryPoint.Invoke(null, arguments);
            if (result is Task task) task.GetAwaiter().GetResult();
            Fail(new InvalidOperationException("The entry point ended without building an application."));
        }
        catch (TargetInvocationException e)
        {
            Fail(e.InnerException ?? e);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Fail(Exception reason)
    {
        _builder.TrySetException(reason);
        _application.TrySetException(reason);

        // Whoever does not wait for them any more need not hear of it.
        _ = _builder.Task.Exception;
        _ = _application.Task.Exception;
    }
}
