using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AspireChat.Tests.Deployment;

/// <summary>Aspire's manifest, with every expression resolved as the deployment does it: a resource's name is its host.</summary>
internal sealed partial class AspireManifest
{
    /// <summary>The port of a service, for which the manifest names none.</summary>
    public const int ServicePort = 8080;

    private readonly JsonObject _resources;

    public AspireManifest(JsonNode manifest)
    {
        _resources = manifest["resources"]!.AsObject();
        Secrets = [.. OfType("parameter.v0").Where(IsSecret).Select(resource => resource.Key)];
        Containers = OfType("container.v0").Concat(OfType("project.v0"))
            .ToDictionary(resource => resource.Key, resource => Read(resource.Value!));
        var unknown = _resources.FirstOrDefault(resource => (string?)resource.Value!["type"] is not
            ("parameter.v0" or "container.v0" or "project.v0" or "value.v0"));
        if (unknown.Key is not null)
        {
            throw new InvalidDataException($"{unknown.Key} has the type {unknown.Value!["type"]}, which no deployment file knows.");
        }
    }

    public IReadOnlyList<string> Secrets { get; }

    public IReadOnlyDictionary<string, DeployedContainer> Containers { get; }

    /// <summary>Those that are reached from outside.</summary>
    public IEnumerable<string> External => _resources
        .Where(resource => resource.Value!["bindings"]?.AsObject().Any(binding => (bool?)binding.Value!["external"] == true) == true)
        .Select(resource => resource.Key);

    private IEnumerable<KeyValuePair<string, JsonNode?>> OfType(string type) =>
        _resources.Where(resource => (string?)resource.Value!["type"] == type);

    private static bool IsSecret(KeyValuePair<string, JsonNode?> parameter) =>
        (bool?)parameter.Value!["inputs"]?["value"]?["secret"] == true;

    private DeployedContainer Read(JsonNode resource)
    {
        var references = new HashSet<string>();
        var variables = resource["env"]?.AsObject().ToDictionary(
            variable => variable.Key, variable => Resolve((string)variable.Value!, references)) ?? [];
        references.Remove(resource.GetPropertyName());
        return new DeployedContainer(
            (string?)resource["image"] ?? ImageOf((string)resource["path"]!),
            [.. Texts(resource["entrypoint"]), .. Texts(resource["args"])],
            variables,
            resource["volumes"]?.AsArray().ToDictionary(volume => (string)volume!["name"]!, volume => (string)volume!["target"]!) ?? [],
            PortOf(resource))
        {
            References = references,
        };
    }

    // As deploy/build-images names it.
    private static string ImageOf(string project) =>
        "aspirechat/" + Path.GetFileNameWithoutExtension(project).Replace("Service", "", StringComparison.Ordinal).ToLowerInvariant();

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        null => [],
        JsonArray list => list.Select(item => (string)item!),
        _ => [(string)node!],
    };

    private static int PortOf(JsonNode resource) =>
        (int?)resource["bindings"]!.AsObject().Single().Value!["targetPort"] ?? ServicePort;

    private string Resolve(string text, HashSet<string> references) => Expression().Replace(text, match =>
    {
        var parts = match.Groups[1].Value.Split('.');
        var resource = _resources[parts[0]]
            ?? throw new InvalidDataException($"The manifest has no resource {parts[0]}, which {match.Value} names.");
        switch (parts[1..])
        {
            case ["value"]:
                return $"<{parts[0]}>";
            case ["connectionString"]:
                return Resolve((string)resource["connectionString"]!, references);
            case ["bindings", _, "targetPort"]:
                return $"{PortOf(resource)}";
            case ["bindings", _, "port"]:
                return $"{PortOf(resource)}";
            case ["bindings", _, "host"]:
                references.Add(parts[0]);
                return parts[0];
            case ["bindings", var binding, "url"]:
                references.Add(parts[0]);
                return $"{resource["bindings"]![binding]!["scheme"]}://{parts[0]}:{PortOf(resource)}";
            default:
                throw new InvalidDataException($"Nothing here knows what the manifest's {match.Value} means.");
        }
    });

    [GeneratedRegex(@"\{([^{}]+)\}")]
    private static partial Regex Expression();
}
