using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AspireChat.Tests.Deployment;

/// <summary>compose.yaml in the words of the manifest. A secret is a variable of the env file: <c>JWT_KEY</c> is <c>jwt-key</c>.</summary>
internal sealed partial class ComposeFile
{
    public ComposeFile(JsonNode file)
    {
        Containers = file["services"]!.AsObject().ToDictionary(service => service.Key, service => Read(service.Value!));
        Publishing = [.. file["services"]!.AsObject().Where(service => service.Value!["ports"] is not null).Select(service => service.Key)];
        Volumes = file["volumes"]?.AsObject().Select(volume => volume.Key).ToHashSet() ?? [];
    }

    public IReadOnlyDictionary<string, DeployedContainer> Containers { get; }

    /// <summary>Those that take a port of the host.</summary>
    public IReadOnlyList<string> Publishing { get; }

    /// <summary>The volumes that are declared.</summary>
    public IReadOnlySet<string> Volumes { get; }

    /// <summary>What a secret is called in the env file.</summary>
    public static string SettingFor(string secret) => secret.Replace('-', '_').ToUpperInvariant();

    private static DeployedContainer Read(JsonNode service)
    {
        var variables = service["environment"]?.AsObject().ToDictionary(entry => entry.Key, entry => Resolve((string)entry.Value!)) ?? [];
        return new DeployedContainer(
            Image().Match((string)service["image"]!) is { Success: true } own ? own.Groups[1].Value : (string)service["image"]!,
            [.. Texts(service["entrypoint"]), .. Texts(service["command"])],
            variables,
            // A path of the host is no volume.
            Texts(service["volumes"]).Where(volume => volume[0] is not '.' and not '/').Select(volume => volume.Split(':'))
                .ToDictionary(parts => parts[0], parts => parts[1]),
            variables.TryGetValue("HTTP_PORTS", out var port) ? int.Parse(port, CultureInfo.InvariantCulture) : 0)
        {
            References = Texts(service["depends_on"]).ToHashSet(),
        };
    }

    private static IEnumerable<string> Texts(JsonNode? list) => list?.AsArray().Select(item => Resolve((string)item!)) ?? [];

    private static string Resolve(string text) => Substitution().Replace(text, match =>
        match.Groups[1].Success ? $"<{match.Groups[1].Value.Replace('_', '-').ToLowerInvariant()}>" : "$");

    [GeneratedRegex(@"\$\$|\$\{([A-Z_]+)(?::[-?][^}]*)?\}")]
    private static partial Regex Substitution();

    [GeneratedRegex(@"^\$\{REGISTRY[^}]*\}/([^:]+):\$\{TAG[^}]*\}$")]
    private static partial Regex Image();
}
