using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.LocalHost.Running;

/// <summary>What every replica needs of the host.</summary>
internal sealed class ReplicaServices(
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    HostConsole console,
    ProcessSpawner spawner,
    ResourceEnvironments environments,
    DependencyWaits dependencies,
    LocalHostOptions options,
    TimeProvider time)
{
    public ResourceNotificationService Notifications => notifications;

    public ResourceLoggerService Logs => logs;

    public HostConsole Console => console;

    public ProcessSpawner Spawner => spawner;

    public ResourceEnvironments Environments => environments;

    public DependencyWaits Dependencies => dependencies;

    public TimeProvider Time => time;

    public bool RestartCrashed => options.RestartCrashed;

    public TimeSpan StopGrace => TimeSpan.FromSeconds(options.StopSeconds);

    /// <summary>Called with the reason when a resource cannot start and the application is of no use without it.</summary>
    public required Action<string> Failed { get; init; }

    /// <summary>How a process ended, and its last words.</summary>
    public string Explain(string id, int exitCode)
    {
        var killed = exitCode > 128 ? $" (signal {exitCode - 128})" : "";
        var last = logs.Last(id, 8);
        return $"{id} ended with exit code {exitCode}{killed}" + (last.Count == 0
            ? ", without a word"
            : ". Its last lines:\n    " + string.Join("\n    ", last));
    }
}

/// <summary>Waits for what a resource said it waits for.</summary>
internal sealed class DependencyWaits(ResourceNotificationService notifications)
{
    public Task WaitAsync(IResource resource, CancellationToken cancellationToken) =>
        Task.WhenAll(resource.Annotations.OfType<WaitAnnotation>().Select(wait => WaitAsync(resource, wait, cancellationToken)));

    private async Task WaitAsync(IResource resource, WaitAnnotation wait, CancellationToken cancellationToken)
    {
        var name = wait.Resource.Name;
        switch (wait.WaitType)
        {
            case WaitType.WaitUntilHealthy:
                await notifications.WaitForResourceHealthyAsync(name, cancellationToken).ConfigureAwait(false);
                break;
            case WaitType.WaitUntilStarted:
                await notifications.WaitForResourceAsync(name, KnownResourceStates.Running, cancellationToken).ConfigureAwait(false);
                break;
            case WaitType.WaitForCompletion:
                var ended = await notifications.WaitForResourceAsync(
                    name, e => KnownResourceStates.TerminalStates.Contains(e.Snapshot.State?.Text), cancellationToken)
                    .ConfigureAwait(false);
                if (ended.Snapshot.ExitCode != wait.ExitCode)
                    throw new DistributedApplicationException(
                        $"'{resource.Name}' waits for '{name}' to end with exit code {wait.ExitCode}, " +
                        $"but it ended with {ended.Snapshot.ExitCode}.");
                break;
        }
    }
}

/// <summary>Puts together what a process is started with.</summary>
internal sealed class ResourceEnvironments(DistributedApplicationExecutionContext execution)
{
    public async Task<Dictionary<string, string>> VariablesAsync(IResource resource, int replica, CancellationToken cancellationToken)
    {
        Dictionary<string, object> values = new(StringComparer.Ordinal);
        var id = replica.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (resource is ProjectResource)
        {
            values["OTEL_SERVICE_NAME"] = resource.Name;
            values["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={resource.Name}-{id}";
            values["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
            values["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";
            values["LOGGING__CONSOLE__FORMATTEROPTIONS__SINGLELINE"] = "true";
            foreach (var inherited in Environment.GetEnvironmentVariables().Keys.OfType<string>()
                .Where(k => k.StartsWith("OTEL_EXPORTER_", StringComparison.Ordinal)))
                values[inherited] = Environment.GetEnvironmentVariable(inherited) ?? "";
        }

        List<string> urls = [];
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.ReplicaEndpoints.Count > replica))
        {
            var address = endpoint.ReplicaEndpoints[replica];
            if (endpoint.UriScheme is "http" or "https") urls.Add(address.UriString);
            if (endpoint.PortVariable is { } variable)
                values[variable] = address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (resource is ProjectResource && urls.Count > 0) values["ASPNETCORE_URLS"] = string.Join(';', urls);
        var context = new EnvironmentCallbackContext(execution, resource, values, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToList())
            await annotation.Callback(context).ConfigureAwait(false);

        Dictionary<string, string> resolved = new(StringComparer.Ordinal);
        foreach (var (name, value) in values)
            if (await ResolveAsync(value, cancellationToken).ConfigureAwait(false) is { } text) resolved[name] = text;
        return resolved;
    }

    public async Task<IReadOnlyList<string>> ArgumentsAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new CommandLineArgsCallbackContext([], resource, cancellationToken) { ExecutionContext = execution };
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToList())
            await annotation.Callback(context).ConfigureAwait(false);
        List<string> resolved = [];
        foreach (var argument in context.Args)
            if (await ResolveAsync(argument, cancellationToken).ConfigureAwait(false) is { } text) resolved.Add(text);
        return resolved;
    }

    private static async Task<string?> ResolveAsync(object value, CancellationToken cancellationToken) => value switch
    {
        string text => text,
        IValueProvider provider => await provider.GetValueAsync(cancellationToken).ConfigureAwait(false),
        _ => value.ToString(),
    };
}
