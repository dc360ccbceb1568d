using System.Text.Json;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.Testing;

namespace AspireChat.Tests.LocalHost;

/// <summary>What deploy/publish writes: the same model that is run, as a manifest, for Compose and for Kubernetes.</summary>
public sealed class PublishingTests : IDisposable
{
    private static readonly string Checkout = Path.GetDirectoryName(Projects.AppHost.ProjectPath)!;

    // As deep in the checkout as deploy/published, because a manifest names projects by relative paths.
    private readonly string _output = Path.Combine(Checkout, "artifacts", $"published-{Guid.NewGuid():N}");

    [Theory]
    [InlineData("aspire-manifest.json", "--publisher", "manifest")]
    [InlineData("compose", "--operation", "publish", "--step", "publish")]
    [InlineData("kubernetes", "--operation", "publish", "--step", "publish", "--Publish:Target=kubernetes")]
    public async Task Committed_files_are_what_the_model_publishes(string target, params string[] arguments)
    {
        await PublishAsync(target, arguments);

        var published = Files(_output, target);
        var committed = Files(Path.Combine(Checkout, "deploy", "published"), target);
        Assert.Equal(committed.Keys.Order(), published.Keys.Order());
        foreach (var (file, text) in committed)
            Assert.True(text == published[file], $"deploy/published/{file} has drifted from the model: run deploy/publish.");
    }

    [Theory]
    [InlineData("aspire-manifest.json", "--publisher", "manifest")]
    [InlineData("compose", "--operation", "publish")]
    [InlineData("kubernetes", "--operation", "publish", "--Publish:Target=kubernetes")]
    public async Task No_secret_is_published_even_when_the_host_knows_it(string target, params string[] arguments)
    {
        await PublishAsync(target,
        [
            .. arguments, "--Parameters:jwt-key=known-key", "--Parameters:redis-password=known-redis",
            "--Parameters:postgres-password=known-postgres",
        ]);

        foreach (var (file, text) in Files(_output, target))
            Assert.False(text.Contains("known-", StringComparison.Ordinal), $"{file} holds a secret");
    }

    [Fact]
    public async Task Publishing_again_keeps_the_settings_that_somebody_filled_in()
    {
        await PublishAsync("compose", ["--operation", "publish"]);
        var settings = Path.Combine(_output, "compose", ".env");
        await File.WriteAllTextAsync(settings, (await File.ReadAllTextAsync(settings)).Replace("GATEWAY_PORT=", "GATEWAY_PORT=8090"));

        await PublishAsync("compose", ["--operation", "publish"]);

        Assert.Contains("GATEWAY_PORT=8090\n", await File.ReadAllTextAsync(settings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_reference_of_the_manifest_names_something_that_it_holds()
    {
        await PublishAsync("aspire-manifest.json", ["--publisher", "manifest"]);

        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_output, "aspire-manifest.json")));
        var resources = manifest.RootElement.GetProperty("resources");
        var references = Regex.Matches(resources.GetRawText(), "{([a-z-]+)\\.([a-zA-Z.]+)}");
        Assert.NotEmpty(references);
        foreach (var reference in references.AsEnumerable())
        {
            var parts = (Resource: reference.Groups[1].Value, Path: reference.Groups[2].Value.Split('.'));
            Assert.True(resources.TryGetProperty(parts.Resource, out var resource), parts.Resource);
            // Hosts, ports and addresses are the deployment's to say, the binding itself is not.
            var known = parts.Path[0] == "bindings" ? parts.Path[..2] : parts.Path[..1];
            foreach (var step in known) Assert.True(resource.TryGetProperty(step, out resource), $"{parts.Resource}.{step}");
        }
    }

    [Fact]
    public void What_is_put_back_names_only_what_is_published()
    {
        var deploy = Path.Combine(Checkout, "deploy");
        var published = ServicesOf(File.ReadAllText(Path.Combine(deploy, "published", "compose", "docker-compose.yaml")));
        var putBack = ServicesOf(File.ReadAllText(Path.Combine(deploy, "compose", "production.yaml")));
        Assert.Equal([.. published, "edge"], putBack.OrderBy(name => name == "edge"));

        var chart = string.Concat(Files(Path.Combine(deploy, "published"), "kubernetes").Values);
        var kustomization = File.ReadAllText(Path.Combine(deploy, "kubernetes", "kustomization.yaml"));
        var targets = Regex.Matches(kustomization, "name: ([a-z]+-(?:service|deployment|statefulset))");
        Assert.NotEmpty(targets);
        Assert.All(targets, target => Assert.Contains($"name: \"{target.Groups[1].Value}\"", chart, StringComparison.Ordinal));
        Assert.All(published, name => Assert.Contains(
            $"app.kubernetes.io/component: {name}", File.ReadAllText(Path.Combine(deploy, "kubernetes", "network-policies.yaml")),
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("aspire-manifest.json", "--publisher", "manifest")]
    [InlineData("compose", "--operation", "publish")]
    [InlineData("kubernetes", "--operation", "publish", "--Publish:Target=kubernetes")]
    public async Task Redis_takes_the_place_of_the_shell_that_starts_it_and_hears_the_signal_to_stop(string target, params string[] arguments)
    {
        await PublishAsync(target, arguments);

        var command = Regex.Match(string.Concat(Files(_output, target).Values), "\"([^\"]*redis-server[^\"]*)\"").Groups[1].Value;
        Assert.StartsWith("exec redis-server ", command, StringComparison.Ordinal);
        Assert.Contains(" --appendonly yes ", command, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publishing_refuses_what_it_does_not_know()
    {
        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => PublishAsync("compose", ["--operation", "publish", "--step", "deploy"]));

        Assert.Contains("deploy", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(_output)) Directory.Delete(_output, recursive: true);
    }

    private async Task PublishAsync(string target, string[] arguments)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            [.. arguments, "--ASPIRECHAT_PORT=0", "--output-path", Path.Combine(_output, target)], patience.Token);
        await using var app = await builder.BuildAsync(patience.Token);
        await app.StartAsync(patience.Token);
    }

    private static IReadOnlyList<string> ServicesOf(string compose) =>
        [.. Regex.Matches(compose.Split("services:\n")[1].Split("\nnetworks:")[0], "^  ([a-z]+):$", RegexOptions.Multiline)
            .Select(service => service.Groups[1].Value)];

    private static Dictionary<string, string> Files(string folder, string target) =>
        (File.Exists(Path.Combine(folder, target))
            ? [Path.Combine(folder, target)]
            : Directory.GetFiles(Path.Combine(folder, target), "*", SearchOption.AllDirectories))
        .ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllText);
}
