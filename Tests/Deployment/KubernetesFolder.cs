using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AspireChat.Tests.Deployment;

/// <summary>The kustomization's own files in the words of the manifest. A secret is a key of the Secret <c>aspirechat</c>.</summary>
internal sealed partial class KubernetesFolder
{
    private const string Secret = "aspirechat";
    private const string Component = "app.kubernetes.io/component";

    private readonly List<JsonNode> _objects = [];

    public KubernetesFolder(DeploymentFiles files)
    {
        var kustomization = files.Yaml(DeploymentFiles.Kustomization).Single();
        Resources = [.. kustomization["resources"]!.AsArray().Select(resource => (string)resource!)];
        Patches =
        [
            .. kustomization["patches"]!.AsArray().Select(patch => (string)patch!["path"]!),
            .. kustomization["configMapGenerator"]!.AsArray().SelectMany(map => map!["files"]!.AsArray().Select(file => (string)file!)),
        ];
        foreach (var resource in Resources)
        {
            _objects.AddRange(files.Yaml($"{DeploymentFiles.Base}/{resource}"));
        }

        Containers = Of("Deployment").Concat(Of("StatefulSet")).ToDictionary(NameOf, Read);
    }

    /// <summary>The files that hold objects, and those that change them or are put into one.</summary>
    public IReadOnlyList<string> Resources { get; }

    public IReadOnlyList<string> Patches { get; }

    public IReadOnlyDictionary<string, DeployedContainer> Containers { get; }

    /// <summary>The port of the Service of that name, or null where there is none that leads to that component.</summary>
    public int? ServicePort(string name) => Of("Service")
        .Where(service => NameOf(service) == name && (string?)service["spec"]!["selector"]![Component] == name)
        .Select(service => (int?)int.Parse((string)service["spec"]!["ports"]![0]!["port"]!, CultureInfo.InvariantCulture)).FirstOrDefault();

    /// <summary>Who may speak to a component on a port; null where everybody may.</summary>
    public IReadOnlySet<string>? Admitted(string name, int port)
    {
        var rules = Of("NetworkPolicy").Where(policy => (string?)policy["spec"]!["podSelector"]!["matchLabels"]?[Component] == name)
            .SelectMany(policy => policy["spec"]!["ingress"]?.AsArray() ?? []).ToArray();
        if (rules.Length == 0 && Of("NetworkPolicy").All(policy => NameOf(policy) != name))
        {
            return null;
        }

        var onPort = rules.Where(rule => rule!["ports"]!.AsArray().Any(open => (string?)open!["port"] == $"{port}")).ToArray();
        return onPort.Any(rule => rule!["from"] is null)
            ? null
            : onPort.SelectMany(rule => rule!["from"]!.AsArray())
                .Select(peer => (string)peer!["podSelector"]!["matchLabels"]![Component]!).ToHashSet();
    }

    private IEnumerable<JsonNode> Of(string kind) => _objects.Where(found => (string?)found["kind"] == kind);

    private static string NameOf(JsonNode found) => (string)found["metadata"]!["name"]!;

    private static DeployedContainer Read(JsonNode workload)
    {
        var container = workload["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Single()!;
        var variables = new Dictionary<string, string>();
        foreach (var variable in container["env"]!.AsArray())
        {
            variables.Add((string)variable!["name"]!, ValueOf(variable, variables));
        }

        var claims = workload["spec"]!["volumeClaimTemplates"]?.AsArray().Select(claim => NameOf(claim!)).ToHashSet() ?? [];
        return new DeployedContainer(
            (string)container["image"]!,
            [.. Texts(container["command"]), .. Texts(container["args"])],
            variables,
            // Only a claim outlives the pod.
            container["volumeMounts"]?.AsArray().Where(mount => claims.Contains((string)mount!["name"]!))
                .ToDictionary(mount => (string)mount!["name"]!, mount => (string)mount!["mountPath"]!) ?? [],
            int.Parse((string)container["ports"]![0]!["containerPort"]!, CultureInfo.InvariantCulture));
    }

    private static string ValueOf(JsonNode variable, Dictionary<string, string> above)
    {
        if ((string?)variable["value"] is { } value)
        {
            return Reference().Replace(value, match => above.GetValueOrDefault(match.Groups[1].Value, match.Value));
        }

        var key = variable["valueFrom"]!["secretKeyRef"]!;
        return (string?)key["name"] == Secret ? $"<{key["key"]}>" : $"<{key["key"]} of {key["name"]}>";
    }

    private static IEnumerable<string> Texts(JsonNode? list) => list?.AsArray().Select(item => (string)item!) ?? [];

    [GeneratedRegex(@"\$\(([A-Za-z0-9_]+)\)")]
    private static partial Regex Reference();
}
