using System.Diagnostics;
using AspireChat.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AspireChat.AppHost.Servers;

/// <summary>
/// How Redis and PostgreSQL run: in containers where a container engine answers, else as processes of this machine. <c>Servers</c>
/// (<c>containers</c> or <c>processes</c>) decides otherwise. Publishing always describes containers.
/// </summary>
internal sealed class ServerChoice
{
    private const string Setting = "Servers";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lazy<DataFolder> _folder;

    private ServerChoice(bool containers, string why, Func<DataFolder> open)
    {
        Containers = containers;
        Why = why;
        _folder = new Lazy<DataFolder>(open);
    }

    public bool Containers { get; }

    /// <summary>What runs and who decided it, in one line.</summary>
    public string Why { get; }

    /// <summary>
    /// The data of the servers and the secrets that open it. <c>Data:Folder</c> names it; <c>artifacts/data</c> unless set. It is opened
    /// when it is first asked for.
    /// </summary>
    public DataFolder Folder => _folder.Value;

    /// <summary>Releases the data folder if it was opened.</summary>
    public void Close()
    {
        if (_folder.IsValueCreated)
        {
            _folder.Value.Dispose();
        }
    }

    public static ServerChoice Make(IDistributedApplicationBuilder builder)
    {
        var open = () => Open(builder);
        if (builder.ExecutionContext.IsPublishMode)
        {
            return new(true, "Published: Redis and PostgreSQL are containers.", open);
        }

        return builder.Configuration[Setting] switch
        {
            "containers" => new(true, $"Redis and PostgreSQL run in containers, as {Setting} says.", open),
            "processes" => new(false, $"Redis and PostgreSQL run as processes, as {Setting} says.", open),
            null or "" => EngineAnswers(builder.Configuration) is var (engine, answers) && answers
                ? new(true, $"Redis and PostgreSQL run in containers: {engine} answered.", open)
                : new(false, $"Redis and PostgreSQL run as processes: {engine} did not answer.", open),
            var other => throw new ServerException($"{Setting} is '{other}', but can only be containers or processes."),
        };
    }

    private static DataFolder Open(IDistributedApplicationBuilder builder) =>
        builder.Configuration.GetValue<bool>("Data:Temporary")
            ? DataFolder.Temporary()
            : DataFolder.Open(Path.GetFullPath(
                builder.Configuration["Data:Folder"] is { Length: > 0 } named ? named : Path.Combine("..", "artifacts", "data"),
                builder.AppHostDirectory));

    // The orchestrator asks the same engine. Podman answers wherever it is installed, so it counts only where it was chosen.
    private static (string Engine, bool Answers) EngineAnswers(IConfiguration configuration)
    {
        var engine = configuration["ASPIRE_CONTAINER_RUNTIME"] ?? configuration["DOTNET_ASPIRE_CONTAINER_RUNTIME"] ?? "docker";
        if (Programs.Find(engine) is not { } program)
        {
            return (engine, false);
        }

        using var asking = Process.Start(new ProcessStartInfo(program, ["version", "--format", "{{.Server.Version}}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        });
        if (asking is null || !asking.WaitForExit(Patience))
        {
            asking?.Kill();
            return (engine, false);
        }
        return (engine, asking.ExitCode == 0);
    }
}

internal static class ServerChoiceExtensions
{
    /// <summary>Decides how the servers run, and says so in one line at the start.</summary>
    public static IDistributedApplicationBuilder AddServerChoice(this IDistributedApplicationBuilder builder)
    {
        var choice = Servers.ServerChoice.Make(builder);
        builder.Services.AddSingleton(choice);
        builder.Services.AddSingleton<OpenFolder>();
        if (builder.ExecutionContext.IsPublishMode)
        {
            return builder;
        }

        builder.Eventing.Subscribe<BeforeStartEvent>((start, cancellationToken) =>
        {
            // Resolved, so that the host closes the folder when it ends.
            _ = start.Services.GetRequiredService<OpenFolder>();
            start.Services.GetRequiredService<ILogger<ServerChoice>>().LogInformation("{Choice}", choice.Why);
            return Task.CompletedTask;
        });
        return builder;
    }

    public static ServerChoice ServerChoice(this IDistributedApplicationBuilder builder) =>
        (ServerChoice)builder.Services.Single(service => service.ServiceType == typeof(ServerChoice)).ImplementationInstance!;

    /// <summary>A secret that is generated once and kept with the data that it opens. A value in configuration goes before it.</summary>
    /// <param name="setting">A key of the configuration that may hold the value, beside <c>Parameters:name</c>.</param>
    public static IResourceBuilder<ParameterResource> AddSecret(
        this IDistributedApplicationBuilder builder, string name, int length = 22, string? setting = null) =>
        builder.AddParameter(
            name,
            new KeptSecret(
                name, builder.ServerChoice(), new GenerateParameterDefault { MinLength = length, Special = false },
                () => setting is null ? null : builder.Configuration[setting]),
            secret: true);

    private sealed class OpenFolder(ServerChoice choice) : IDisposable
    {
        public void Dispose() => choice.Close();
    }

    private sealed class KeptSecret(string name, ServerChoice choice, GenerateParameterDefault generated, Func<string?> given) : ParameterDefault
    {
        public override string GetDefaultValue() => given() ?? choice.Folder.Secret(name, generated.GetDefaultValue);

        public override void WriteToManifest(Aspire.Hosting.Publishing.ManifestPublishingContext context) => generated.WriteToManifest(context);
    }
}
