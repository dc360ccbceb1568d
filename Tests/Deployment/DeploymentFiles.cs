using System.Text.Json.Nodes;
using AspireChat.Chaos.Planted;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace AspireChat.Tests.Deployment;

/// <summary>The files under deploy/ by their path there, as texts that a test may change.</summary>
internal sealed class DeploymentFiles
{
    public const string Manifest = "aspire-manifest.json";
    public const string Compose = "compose/compose.yaml";
    public const string ComposeSecrets = "compose/env.example";
    public const string Base = "kubernetes/base";
    public const string Kustomization = $"{Base}/kustomization.yaml";
    public const string KubernetesSecrets = "kubernetes/example/secrets.env";

    private readonly Dictionary<string, string> _texts = [];

    /// <summary>Reads them all anew.</summary>
    public DeploymentFiles()
    {
        var root = Path.Combine(Root, "deploy");
        string[] wanted = [Manifest, Compose, ComposeSecrets, KubernetesSecrets];
        foreach (var file in wanted.Concat(Directory.GetFiles(Path.Combine(root, Base)).Select(file => $"{Base}/{Path.GetFileName(file)}")))
        {
            _texts[file] = File.ReadAllText(Path.Combine(root, file));
        }
    }

    /// <summary>The folder of the sources.</summary>
    public static string Root { get; } = SourceCopy.FindSources();

    public IEnumerable<string> In(string folder) => _texts.Keys.Where(file => file.StartsWith(folder + '/', StringComparison.Ordinal));

    public string Text(string file) => _texts[file];

    public JsonNode Json(string file) => JsonNode.Parse(_texts[file])!;

    /// <summary>The documents of a YAML file, with anchors and merges resolved. Every value is a text.</summary>
    public IReadOnlyList<JsonNode> Yaml(string file)
    {
        var parser = new MergingParser(new Parser(new StringReader(_texts[file])));
        var deserializer = new DeserializerBuilder().Build();
        var documents = new List<JsonNode>();
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
        {
            if (ToJson(deserializer.Deserialize(parser)) is { } document)
            {
                documents.Add(document);
            }
        }
        return documents;
    }

    /// <summary>The names and values of a file of <c>NAME=value</c> lines.</summary>
    public IReadOnlyDictionary<string, string> Settings(string file) => _texts[file].Split('\n')
        .Where(line => line.Contains('=', StringComparison.Ordinal) && !line.StartsWith('#'))
        .Select(line => line.Split('=', 2))
        .ToDictionary(parts => parts[0], parts => parts[1]);

    /// <summary>Plants a difference.</summary>
    public void Replace(string file, string text, string by)
    {
        Assert.True(_texts[file].Contains(text, StringComparison.Ordinal), $"{file} has no '{text}'.");
        _texts[file] = _texts[file].Replace(text, by, StringComparison.Ordinal);
    }

    private static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        IDictionary<object, object?> map => new JsonObject(map.Select(entry => KeyValuePair.Create((string)entry.Key, ToJson(entry.Value)))),
        IEnumerable<object?> list => new JsonArray([.. list.Select(ToJson)]),
        _ => JsonValue.Create(value.ToString()),
    };
}
