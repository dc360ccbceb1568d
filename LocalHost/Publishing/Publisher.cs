using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Docker;
using Aspire.Hosting.Kubernetes;
using AspireChat.LocalHost.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace AspireChat.LocalHost.Publishing;

/// <summary>
/// Writes the model down instead of running it, asked for with genuine Aspire's options: <c>--publisher manifest --output-path FILE</c>, or
/// <c>--operation publish --output-path FOLDER</c> for the target that the model names (Docker Compose or Kubernetes).
/// </summary>
internal sealed class Publisher(
    DistributedApplicationModel model,
    DistributedApplicationExecutionContext execution,
    IConfiguration configuration,
    HostConsole console,
    IHostApplicationLifetime lifetime) : IHostedService
{
    private const string ManifestStep = "publish-manifest";
    private const string PublishStep = "publish";

    /// <exception cref="DistributedApplicationException">What was asked for cannot be published; the message says why.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var containers = await new PublishedModel(model, execution).ContainersAsync(cancellationToken).ConfigureAwait(false);
        var asked = configuration["Pipeline:OutputPath"];
        switch (Step())
        {
            case ManifestStep:
                var manifest = ManifestFile(asked);
                Write(manifest, ManifestText.Of(model, containers, Path.GetDirectoryName(manifest)!));
                break;
            case PublishStep:
                PublishTo(Path.GetFullPath(asked ?? "aspire-output"), containers);
                break;
            case var other:
                throw new DistributedApplicationException(
                    $"--step is '{other}', but the local host knows only {PublishStep} and {ManifestStep}.");
        }

        lifetime.StopApplication();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private string Step()
    {
        var publisher = configuration["Publishing:Publisher"];
        if (publisher is not (null or "manifest" or "default"))
            throw new DistributedApplicationException($"--publisher is '{publisher}', but can only be manifest.");
        return configuration["Pipeline:Step"] ?? (publisher == "manifest" ? ManifestStep : PublishStep);
    }

    private void PublishTo(string folder, IReadOnlyList<PublishedResource> containers)
    {
        switch (model.Resources.OfType<IComputeEnvironmentResource>().ToList())
        {
            case [DockerComposeEnvironmentResource]:
                var compose = new ComposeText(containers);
                Write(Path.Combine(folder, "docker-compose.yaml"), compose.File());
                var settings = Path.Combine(folder, ".env");
                Write(settings, compose.Settings(File.Exists(settings) ? File.ReadAllLines(settings) : []));
                break;
            case [KubernetesEnvironmentResource]:
                foreach (var (file, text) in new HelmChartText(containers, ChartName()).Files()) Write(Path.Combine(folder, file), text);
                break;
            case []:
                throw new DistributedApplicationException("The model names no target to publish for.");
            default:
                throw new DistributedApplicationException("The model names several targets to publish for: there can be one.");
        }
    }

    private string ChartName() => configuration[HostDefaults.ApplicationKey]!.ToLowerInvariant().Replace('.', '-').Replace('_', '-');

    private static string ManifestFile(string? asked)
    {
        if (asked is null) throw new DistributedApplicationException("A manifest needs a place: --output-path FILE.json or FOLDER.");
        return Path.GetFullPath(asked.EndsWith(".json", StringComparison.Ordinal) ? asked : Path.Combine(asked, "aspire-manifest.json"));
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        console.Line($"published {Path.GetRelativePath(Directory.GetCurrentDirectory(), path)}");
    }
}
