using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using AspireChat.LocalHost.Running;

namespace AspireChat.LocalHost.Publishing;

/// <summary>A resource as a deployment sees it: nothing is resolved, what it refers to is still an expression.</summary>
/// <param name="Environment">In the order in which it was set; a value is a text or an expression.</param>
internal sealed record PublishedResource(
    IResource Resource,
    IReadOnlyList<KeyValuePair<string, object>> Environment,
    IReadOnlyList<object> Arguments)
{
    public string Name => Resource.Name;

    public bool IsProject => Resource is ProjectResource;

    public string? Image => Resource.Annotations.OfType<ContainerImageAnnotation>().LastOrDefault()?.ToString();

    public string? Entrypoint => (Resource as ContainerResource)?.Entrypoint;

    public IReadOnlyList<EndpointAnnotation> Endpoints => [.. Resource.Annotations.OfType<EndpointAnnotation>()];

    public IReadOnlyList<ContainerMountAnnotation> Mounts => [.. Resource.Annotations.OfType<ContainerMountAnnotation>()];

    public int Replicas => EndpointAllocator.ReplicasOf(Resource);
}

/// <summary>Puts together what each container is deployed with, in the order of the model.</summary>
internal sealed class PublishedModel(DistributedApplicationModel model, DistributedApplicationExecutionContext execution)
{
    public async Task<IReadOnlyList<PublishedResource>> ContainersAsync(CancellationToken cancellationToken)
    {
        List<PublishedResource> containers = [];
        foreach (var resource in model.Resources.Where(resource => resource is ContainerResource or ProjectResource))
        {
            containers.Add(new PublishedResource(
                resource,
                await EnvironmentAsync(resource, cancellationToken).ConfigureAwait(false),
                await ArgumentsAsync(resource, cancellationToken).ConfigureAwait(false)));
        }

        return containers;
    }

    private async Task<IReadOnlyList<KeyValuePair<string, object>>> EnvironmentAsync(
        IResource resource, CancellationToken cancellationToken)
    {
        // A dictionary that nothing was removed from keeps the order in which it was filled.
        Dictionary<string, object> values = [];
        if (resource is ProjectResource project)
        {
            values["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
            values["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true";
            if (project.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(e => e.UriScheme == "http") is { } endpoint)
                values["HTTP_PORTS"] = new EndpointReference(project, endpoint).Property(EndpointProperty.TargetPort);
        }

        var context = new EnvironmentCallbackContext(execution, resource, values, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await annotation.Callback(context).ConfigureAwait(false);
        return [.. values];
    }

    private async Task<IReadOnlyList<object>> ArgumentsAsync(IResource resource, CancellationToken cancellationToken)
    {
        List<object> arguments = [];
        var context = new CommandLineArgsCallbackContext(arguments, resource, cancellationToken) { ExecutionContext = execution };
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            await annotation.Callback(context).ConfigureAwait(false);
        return arguments;
    }
}
