using System.Text;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.LocalHost.Publishing;

/// <summary>
/// Aspire's deployment manifest: every resource with what it needs, references as <c>{resource.bindings.http.url}</c> and the like. It says
/// nothing of replicas, order of start or health, and holds no secret.
/// </summary>
internal static class ManifestText
{
    public static string Of(DistributedApplicationModel model, IReadOnlyList<PublishedResource> containers, string folder)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("resources");
            foreach (var resource in model.Resources) Write(json, resource, containers, folder);
            // Passwords that an integration made up are resources too, after those that the model names.
            foreach (var parameter in Parameters(containers).Where(parameter => !model.Resources.Contains(parameter)))
                Write(json, parameter, containers, folder);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, IResource resource, IReadOnlyList<PublishedResource> containers, string folder)
    {
        json.WriteStartObject(resource.Name);
        switch (resource)
        {
            case ParameterResource parameter:
                WriteParameter(json, parameter);
                break;
            case ContainerResource or ProjectResource:
                WriteContainer(json, containers.Single(container => container.Resource == resource), folder);
                break;
            case IResourceWithConnectionString value:
                json.WriteString("type", "value.v0");
                json.WriteString("connectionString", value.ConnectionStringExpression.ValueExpression);
                break;
            default:
                json.WriteString("error", "This resource does not support generation in the manifest.");
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteContainer(Utf8JsonWriter json, PublishedResource container, string folder)
    {
        json.WriteString("type", container.IsProject ? "project.v0" : "container.v0");
        if (container.Resource is IResourceWithConnectionString connection)
            json.WriteString("connectionString", connection.ConnectionStringExpression.ValueExpression);
        if (container.IsProject)
        {
            var project = container.Resource.Annotations.OfType<IProjectMetadata>().First();
            json.WriteString("path", Path.GetRelativePath(folder, project.ProjectPath).Replace('\\', '/'));
        }
        else
        {
            json.WriteString("image", container.Image ??
                throw new DistributedApplicationException($"'{container.Name}' has no container image to be published with."));
        }

        if (container.Entrypoint is { } entrypoint) json.WriteString("entrypoint", entrypoint);
        if (container.Arguments.Count > 0)
        {
            json.WriteStartArray("args");
            foreach (var argument in container.Arguments) json.WriteStringValue(Expression(argument));
            json.WriteEndArray();
        }

        if (container.Mounts.Count > 0)
        {
            json.WriteStartArray("volumes");
            foreach (var mount in container.Mounts)
            {
                json.WriteStartObject();
                json.WriteString("name", mount.Source);
                json.WriteString("target", mount.Target);
                json.WriteBoolean("readOnly", mount.IsReadOnly);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteStartObject("env");
        foreach (var (name, value) in container.Environment) json.WriteString(name, Expression(value));
        json.WriteEndObject();
        WriteBindings(json, container);
    }

    private static void WriteBindings(Utf8JsonWriter json, PublishedResource container)
    {
        if (container.Endpoints.Count == 0) return;
        json.WriteStartObject("bindings");
        foreach (var endpoint in container.Endpoints)
        {
            json.WriteStartObject(endpoint.Name);
            json.WriteString("scheme", endpoint.UriScheme);
            json.WriteString("protocol", endpoint.Protocol.ToString().ToLowerInvariant());
            json.WriteString("transport", endpoint.Transport);
            if (endpoint.Port is { } port && port != endpoint.TargetPort) json.WriteNumber("port", port);
            if (endpoint.TargetPort is { } targetPort) json.WriteNumber("targetPort", targetPort);
            if (endpoint.IsExternal) json.WriteBoolean("external", true);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter json, ParameterResource parameter)
    {
        json.WriteString("type", "parameter.v0");
        json.WriteString("value", $"{{{parameter.Name}.inputs.value}}");
        json.WriteStartObject("inputs");
        json.WriteStartObject("value");
        json.WriteString("type", "string");
        if (parameter.Secret) json.WriteBoolean("secret", true);
        if (parameter.Default is GenerateParameterDefault generated)
        {
            json.WriteStartObject("default");
            json.WriteStartObject("generate");
            json.WriteNumber("minLength", generated.MinLength);
            foreach (var (name, used) in new[]
                {
                    ("lower", generated.Lower), ("upper", generated.Upper), ("numeric", generated.Numeric), ("special", generated.Special),
                })
                if (!used) json.WriteBoolean(name, false);
            foreach (var (name, least) in new[]
                {
                    ("minLower", generated.MinLower), ("minUpper", generated.MinUpper), ("minNumeric", generated.MinNumeric),
                    ("minSpecial", generated.MinSpecial),
                })
                if (least != 0) json.WriteNumber(name, least);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Expression(object value) => value switch
    {
        IManifestExpressionProvider provider => provider.ValueExpression,
        _ => value.ToString()!,
    };

    private static IEnumerable<ParameterResource> Parameters(IReadOnlyList<PublishedResource> containers) =>
        containers.SelectMany(container => container.Environment.Select(variable => variable.Value).Concat(container.Arguments))
            .SelectMany(Parameters).Distinct();

    private static IEnumerable<ParameterResource> Parameters(object value) => value switch
    {
        ParameterResource parameter => [parameter],
        ReferenceExpression expression => expression.ValueProviders.SelectMany(Parameters),
        IResourceWithConnectionString connection => Parameters(connection.ConnectionStringExpression),
        _ => [],
    };
}
