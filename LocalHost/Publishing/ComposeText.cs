using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.LocalHost.Publishing;

/// <summary>
/// The Compose file and the settings (<c>.env</c>) that it asks for. Secrets, image names and ports are settings; none has a value here.
/// </summary>
internal sealed partial class ComposeText(IReadOnlyList<PublishedResource> containers)
{
    private const string Network = "aspire";

    private readonly SortedDictionary<string, string> _settings = new(StringComparer.Ordinal);

    public string File()
    {
        var services = new YamlMap();
        var volumes = new YamlMap();
        foreach (var container in containers)
        {
            services.Add(container.Name, Service(container));
            foreach (var mount in container.Mounts) volumes.Add(mount.Source!, new YamlMap().Add("driver", "local"));
        }

        var file = new YamlMap()
            .Add("services", services)
            .Add("networks", new YamlMap().Add(Network, new YamlMap().Add("driver", "bridge")));
        if (volumes.Count > 0) file.Add("volumes", volumes);
        return YamlText.Of(file);
    }

    /// <summary>The settings that <see cref="File"/> met, in alphabetical order; those that somebody has given a value keep it.</summary>
    public string Settings(IReadOnlyList<string> before)
    {
        var known = before.Where(line => !line.StartsWith('#') && line.Contains('=', StringComparison.Ordinal))
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0].Trim(), pair => pair[1], StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var (name, description) in _settings)
            text.Append(CultureInfo.InvariantCulture, $"# {description}\n{name}={known.GetValueOrDefault(name)}\n\n");
        return text.ToString();
    }

    private YamlMap Service(PublishedResource container)
    {
        var environment = new YamlMap();
        foreach (var (name, value) in container.Environment) environment.Add(name, Text(value));

        var dependsOn = new YamlMap();
        foreach (var wait in container.Resource.Annotations.OfType<WaitAnnotation>())
        {
            // What a server holds comes with the server.
            var awaited = (wait.Resource as IResourceWithParent)?.Parent ?? wait.Resource;
            if (awaited is not (ContainerResource or ProjectResource) || dependsOn.Any(known => known.Key == awaited.Name)) continue;
            var condition = wait.WaitType == WaitType.WaitForCompletion ? "service_completed_successfully" : "service_started";
            dependsOn.Add(awaited.Name, new YamlMap().Add("condition", condition));
        }

        var shell = container.Entrypoint is "/bin/sh" or "/bin/bash";
        var service = new YamlMap()
            .Add("image", container.IsProject ? Setting(container.Name, "IMAGE", "Container image name for") : container.Image)
            .Add("command", container.Arguments.Select(Text)
                .Select(text => shell ? ForTheShell().Replace(text, "$$$$") : text).ToList())
            .Add("entrypoint", container.Entrypoint is { } entrypoint ? new List<string> { entrypoint } : null);
        if (environment.Count > 0) service.Add("environment", environment);
        service
            .Add("ports", container.Endpoints.Where(e => e.IsExternal)
                .Select(e => TargetPort(container.Resource, e) is var target && e.Port is { } port ? $"{port}:{target}" : target)
                .Distinct().ToList())
            .Add("expose", container.Endpoints.Where(e => !e.IsExternal).Select(e => TargetPort(container.Resource, e)).Distinct().ToList())
            .Add("volumes", container.Mounts.Select(mount => new YamlMap()
                .Add("type", "volume").Add("target", mount.Target).Add("source", mount.Source).Add("read_only", mount.IsReadOnly)).ToList());
        if (dependsOn.Count > 0) service.Add("depends_on", dependsOn);
        return service.Add("networks", new List<string> { Network });
    }

    private string Text(object value) => value switch
    {
        string text => text,
        ParameterResource parameter => Parameter(parameter),
        EndpointReference endpoint => Property(endpoint.Property(EndpointProperty.Url)),
        EndpointReferenceExpression property => Property(property),
        ReferenceExpression expression =>
            string.Format(CultureInfo.InvariantCulture, expression.Format, [.. expression.ValueProviders.Select(Text)]),
        IResourceWithConnectionString connection => Text(connection.ConnectionStringExpression),
        _ => throw new DistributedApplicationException($"A value of type {value.GetType().Name} cannot be published for Compose."),
    };

    private string Property(EndpointReferenceExpression expression)
    {
        var resource = expression.Endpoint.Resource;
        var endpoint = expression.Endpoint.EndpointAnnotation;
        var port = TargetPort(resource, endpoint);
        return expression.Property switch
        {
            EndpointProperty.Url => $"{endpoint.UriScheme}://{resource.Name}:{port}",
            EndpointProperty.Host or EndpointProperty.IPV4Host => resource.Name,
            EndpointProperty.HostAndPort => $"{resource.Name}:{port}",
            EndpointProperty.Scheme => endpoint.UriScheme,
            EndpointProperty.Port or EndpointProperty.TargetPort => port,
            _ => throw new DistributedApplicationException($"The property {expression.Property} cannot be published for Compose."),
        };
    }

    private string TargetPort(IResource resource, EndpointAnnotation endpoint) =>
        (endpoint.TargetPort ?? (resource is ContainerResource ? endpoint.Port : null)) is { } port
            ? port.ToString(CultureInfo.InvariantCulture)
            : Setting(resource.Name, "PORT", "Default container port for");

    private string Setting(string resource, string what, string description) =>
        Placeholder($"{resource}-{what}", $"{description} {resource}");

    private string Parameter(ParameterResource parameter) => Placeholder(parameter.Name, $"Parameter {parameter.Name}");

    private string Placeholder(string name, string description)
    {
        name = name.ToUpperInvariant().Replace('-', '_');
        _settings[name] = description;
        return $"${{{name}}}";
    }

    /// <summary>A variable of the container's shell, which Compose must leave alone.</summary>
    [GeneratedRegex(@"(?<!\$)\$(?=[A-Za-z_])")]
    private static partial Regex ForTheShell();
}
