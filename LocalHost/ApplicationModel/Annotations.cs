using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public enum ResourceAnnotationMutationBehavior
{
    Append = 0,
    Replace = 1,
}

/// <summary>Runs when a resource's environment is put together, once per start of each replica.</summary>
public class EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> callback) : IResourceAnnotation
{
    public Func<EnvironmentCallbackContext, Task> Callback { get; } = callback;
}

public class EnvironmentCallbackContext(
    DistributedApplicationExecutionContext executionContext,
    IResource resource,
    Dictionary<string, object>? environmentVariables = null,
    CancellationToken cancellationToken = default)
{
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;

    public IResource Resource { get; } = resource;

    /// <summary>Strings, or value providers that are resolved just before the start.</summary>
    public Dictionary<string, object> EnvironmentVariables { get; } = environmentVariables ?? [];

    public CancellationToken CancellationToken { get; } = cancellationToken;
}

public class CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> callback) : IResourceAnnotation
{
    public Func<CommandLineArgsCallbackContext, Task> Callback { get; } = callback;
}

public sealed class CommandLineArgsCallbackContext(IList<object> args, IResource resource, CancellationToken cancellationToken = default)
{
    public IList<object> Args { get; } = args;

    public IResource Resource { get; } = resource;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    public required DistributedApplicationExecutionContext ExecutionContext { get; init; }
}

public enum WaitType
{
    WaitUntilHealthy = 0,
    WaitForCompletion = 1,
    WaitUntilStarted = 2,
}

public enum WaitBehavior
{
    WaitOnResourceUnavailable = 0,
    StopOnResourceUnavailable = 1,
}

public sealed class WaitAnnotation(IResource resource, WaitType waitType, int exitCode = 0) : IResourceAnnotation
{
    public IResource Resource { get; } = resource;

    public WaitType WaitType { get; } = waitType;

    public int ExitCode { get; } = exitCode;
}

public sealed class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    public int Replicas { get; } = replicas;
}

/// <summary>
/// Where a container keeps its data: a named volume. A run takes it as the wish to keep data between runs, which it always does.
/// </summary>
public sealed class ContainerMountAnnotation(string? source, string target, bool isReadOnly = false) : IResourceAnnotation
{
    public string? Source { get; } = source;

    public string Target { get; } = target;

    public bool IsReadOnly { get; } = isReadOnly;
}

/// <summary>The image that a container is published with; a run starts the server that is installed here.</summary>
public sealed class ContainerImageAnnotation : IResourceAnnotation
{
    public string? Registry { get; set; }

    public required string Image { get; set; }

    public string? Tag { get; set; }

    public override string ToString() => $"{(Registry is null ? "" : Registry + "/")}{Image}{(Tag is null ? "" : ":" + Tag)}";
}

/// <summary>What a reference puts into the environment of the resource that refers.</summary>
[Flags]
public enum ReferenceEnvironmentInjectionFlags
{
    None = 0,
    ConnectionString = 1 << 0,
    ConnectionProperties = 1 << 1,
    ServiceDiscovery = 1 << 2,
    Endpoints = 1 << 3,
    All = ConnectionString | ConnectionProperties | ServiceDiscovery | Endpoints,
}

/// <summary>Tells one replica's health; the local host runs it until it answers healthy, then now and then.</summary>
internal sealed record ReplicaHealthCheck(string Key, Func<int, CancellationToken, Task<HealthCheckResult>> Check) : IResourceAnnotation;
