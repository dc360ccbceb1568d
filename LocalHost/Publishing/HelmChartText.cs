using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.LocalHost.Publishing;

/// <summary>
/// A Helm chart: a Deployment or StatefulSet, a Service, a ConfigMap and a Secret per container, and the values that they ask for. Secrets
/// have no value here.
/// </summary>
internal sealed class HelmChartText(IReadOnlyList<PublishedResource> containers, string name)
{
    private const string ChartVersion = "0.1.0";
    private const string ContainerPort = "port_http";
    private const string Secrets = ".Values.secrets.";

    private readonly YamlMap _parameters = [];
    private readonly YamlMap _secrets = [];
    private readonly YamlMap _config = [];

    public IReadOnlyList<KeyValuePair<string, string>> Files()
    {
        List<KeyValuePair<string, string>> files = [];
        foreach (var container in containers)
        {
            foreach (var (kind, template) in Templates(container))
                files.Add(new($"templates/{container.Name}/{kind}.yaml", "---\n" + YamlText.Of(template)));
        }

        files.Add(new("Chart.yaml", YamlText.Of(new YamlMap()
            .Add("apiVersion", "v2").Add("name", name).Add("version", ChartVersion).Add("kubeVersion", ">= 1.18.0-0")
            .Add("description", "Aspire Helm Chart").Add("type", "application").Add("keywords", new List<string> { "aspire", "kubernetes" })
            .Add("appVersion", ChartVersion).Add("deprecated", false))));
        files.Add(new("values.yaml", YamlText.Of(new YamlMap()
            .Add("parameters", _parameters).Add("secrets", _secrets).Add("config", _config))));
        return files;
    }

    private List<(string Kind, YamlMap Template)> Templates(PublishedResource container)
    {
        var secrets = new YamlMap();
        var config = new YamlMap();
        var secretValues = new YamlMap();
        var configValues = new YamlMap();
        foreach (var (variable, value) in container.Environment)
        {
            if (value is ParameterResource parameter)
            {
                var (templates, values) = parameter.Secret ? (secrets, secretValues) : (config, configValues);
                templates.Add(variable, Parameter(parameter, container));
                values.Add(Key(parameter.Name), "");
                continue;
            }

            var text = Text(value, container);
            if (text.Contains(Secrets, StringComparison.Ordinal))
            {
                secrets.Add(variable, text);
                secretValues.Add(variable, "");
            }
            else
            {
                var isTemplate = text.Contains("{{", StringComparison.Ordinal);
                config.Add(variable, isTemplate ? text : $"{{{{ .Values.config.{Key(container.Name)}.{variable} }}}}");
                configValues.Add(variable, isTemplate ? "" : text);
            }
        }

        var parameters = new YamlMap();
        if (container.Endpoints.Any(e => TargetPort(container.Resource, e) is null)) parameters.Add(ContainerPort, 8080);
        if (container.IsProject) parameters.Add($"{Key(container.Name)}_image", $"{container.Name}:latest");
        Take(_parameters, container, parameters);
        Take(_secrets, container, secretValues);
        Take(_config, container, configValues);

        var isStateful = container.Resource is IResourceWithConnectionString;
        List<(string, YamlMap)> documents = [(isStateful ? "statefulset" : "deployment", Workload(container, isStateful, config, secrets))];
        if (config.Count > 0) documents.Add(("config", Document(container, "v1", "ConfigMap", "config").Add("data", config)));
        if (secrets.Count > 0)
            documents.Add(("secrets", Document(container, "v1", "Secret", "secrets").Add("stringData", secrets).Add("type", "Opaque")));
        if (container.Endpoints.Count > 0) documents.Add(("service", Service(container)));
        return documents;
    }

    private static YamlMap Workload(PublishedResource container, bool isStateful, YamlMap config, YamlMap secrets)
    {
        var lower = container.Name.ToLowerInvariant();
        List<YamlMap> sources = [];
        if (config.Count > 0) sources.Add(Reference("configMapRef", $"{lower}-config"));
        if (secrets.Count > 0) sources.Add(Reference("secretRef", $"{lower}-secrets"));

        var pod = new YamlMap().Add("containers", new List<YamlMap>
        {
            new YamlMap()
                .Add("command", container.Entrypoint is { } entrypoint ? new List<string> { entrypoint } : null)
                .Add("image", container.IsProject
                    ? $"{{{{ .Values.parameters.{Key(container.Name)}.{Key(container.Name)}_image }}}}"
                    : container.Image)
                .Add("name", container.Name)
                .Add("envFrom", sources)
                .Add("args", container.Arguments.Select(argument => Text(argument, container)).ToList())
                .Add("ports", container.Endpoints.Select(endpoint => new YamlMap()
                    .Add("name", endpoint.Name).Add("protocol", "TCP").Add("containerPort", Port(container.Resource, endpoint))).ToList())
                .Add("volumeMounts", container.Mounts.Select(mount => new YamlMap()
                    .Add("name", mount.Source).Add("mountPath", mount.Target)).ToList())
                .Add("imagePullPolicy", "IfNotPresent"),
        });
        pod.Add("volumes", container.Mounts.Select(mount => new YamlMap()
            .Add("name", mount.Source).Add("emptyDir", new YamlMap())).ToList());

        var spec = new YamlMap()
            .Add("template", new YamlMap().Add("metadata", new YamlMap().Add("labels", Labels(container))).Add("spec", pod))
            .Add("selector", new YamlMap().Add("matchLabels", Labels(container)))
            .Add("replicas", container.Replicas);
        if (!isStateful)
        {
            spec.Add("revisionHistoryLimit", 3).Add("strategy", new YamlMap()
                .Add("rollingUpdate", new YamlMap().Add("maxSurge", 1).Add("maxUnavailable", 1)).Add("type", "RollingUpdate"));
        }

        return Document(container, "apps/v1", isStateful ? "StatefulSet" : "Deployment", isStateful ? "statefulset" : "deployment")
            .Add("spec", spec);
    }

    private static YamlMap Service(PublishedResource container) =>
        Document(container, "v1", "Service", "service").Add("spec", new YamlMap()
            .Add("type", "ClusterIP")
            .Add("selector", Labels(container))
            .Add("ports", container.Endpoints.Select(endpoint => new YamlMap()
                .Add("name", endpoint.Name)
                .Add("protocol", "TCP")
                .Add("port", Port(container.Resource, endpoint))
                .Add("targetPort", Port(container.Resource, endpoint))).ToList()));

    private static YamlMap Document(PublishedResource container, string version, string kind, string suffix) => new YamlMap()
        .Add("apiVersion", version)
        .Add("kind", kind)
        .Add("metadata", new YamlMap().Add("name", $"{container.Name.ToLowerInvariant()}-{suffix}").Add("labels", Labels(container)));

    private static YamlMap Labels(PublishedResource container) => new YamlMap()
        .Add("app.kubernetes.io/name", "{{ .Chart.Name }}")
        .Add("app.kubernetes.io/component", container.Name)
        .Add("app.kubernetes.io/instance", "{{ .Release.Name }}");

    private static YamlMap Reference(string kind, string name) => new YamlMap().Add(kind, new YamlMap().Add("name", name));

    private static void Take(YamlMap section, PublishedResource container, YamlMap values)
    {
        if (values.Count > 0) section.Add(Key(container.Name), values);
    }

    private static string Text(object value, PublishedResource owner) => value switch
    {
        string text => text,
        ParameterResource parameter => Parameter(parameter, owner),
        EndpointReference endpoint => Property(endpoint.Property(EndpointProperty.Url)),
        EndpointReferenceExpression property => Property(property),
        ReferenceExpression expression => string.Format(
            CultureInfo.InvariantCulture, expression.Format, [.. expression.ValueProviders.Select(provider => Text(provider, owner))]),
        IResourceWithConnectionString connection => Text(connection.ConnectionStringExpression, owner),
        _ => throw new DistributedApplicationException($"A value of type {value.GetType().Name} cannot be published for Kubernetes."),
    };

    private static string Property(EndpointReferenceExpression expression)
    {
        var resource = expression.Endpoint.Resource;
        var endpoint = expression.Endpoint.EndpointAnnotation;
        var host = $"{resource.Name.ToLowerInvariant()}-service";
        var port = TargetPort(resource, endpoint)?.ToString(CultureInfo.InvariantCulture) ??
            $"{{{{ .Values.parameters.{Key(resource.Name)}.{ContainerPort} }}}}";
        return expression.Property switch
        {
            EndpointProperty.Url => $"{endpoint.UriScheme}://{host}:{port}",
            EndpointProperty.Host or EndpointProperty.IPV4Host => host,
            EndpointProperty.HostAndPort => $"{host}:{port}",
            EndpointProperty.Scheme => endpoint.UriScheme,
            EndpointProperty.Port or EndpointProperty.TargetPort => port,
            _ => throw new DistributedApplicationException($"The property {expression.Property} cannot be published for Kubernetes."),
        };
    }

    // Each container has its own copy of a value, so that each can be given another.
    private static string Parameter(ParameterResource parameter, PublishedResource owner) =>
        $"{{{{ .Values.{(parameter.Secret ? "secrets" : "config")}.{Key(owner.Name)}.{Key(parameter.Name)} }}}}";

    private static object Port(IResource resource, EndpointAnnotation endpoint) =>
        TargetPort(resource, endpoint) is { } port
            ? port
            : new PlainText($"{{{{ .Values.parameters.{Key(resource.Name)}.{ContainerPort} | int }}}}");

    private static int? TargetPort(IResource resource, EndpointAnnotation endpoint) =>
        endpoint.TargetPort ?? (resource is ContainerResource ? endpoint.Port : null);

    private static string Key(string name) => name.Replace('-', '_');
}
