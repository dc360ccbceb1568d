using System.Net;
using AspireChat.ConnectionService;
using AspireChat.Gateway;
using AspireChat.Gateway.Routing;
using AspireChat.PersistenceService;
using AspireChat.PresenceService;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using AspireChat.Tests.Persistence;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Tracing;

/// <summary>
/// All services in this process: gateway, two connection nodes, presence and persistence, with their own Redis and database. They export to
/// <see cref="Receiver"/> several times a second.
/// </summary>
internal sealed class TracedSystem : IAsyncDisposable
{
    private readonly List<WebApplication> _running = [];

    private TracedSystem(PersistenceWorld world, OtlpReceiver receiver)
    {
        World = world;
        Receiver = receiver;
    }

    public PersistenceWorld World { get; }

    public OtlpReceiver Receiver { get; }

    public IReadOnlyList<Uri> Nodes { get; private set; } = [];

    public Uri Gateway { get; private set; } = null!;

    /// <param name="settings">Settings of all services, such as <c>Tracing:SampleRatio=1</c>.</param>
    public static async Task<TracedSystem> StartAsync(params string[] settings)
    {
        var system = new TracedSystem(await PersistenceWorld.CreateAsync(), await OtlpReceiver.StartAsync());
        var more = settings.Select(setting => setting.Split('=', 2)).ToDictionary(pair => pair[0], string? (pair) => pair[1]);
        var persistence = await system.StartAsync(more, b => b.AddPersistenceService(), app => app.MapPersistenceService());
        await system.World.OpenedAsync();
        var presence = await system.StartAsync(more, b => b.AddPresenceService(), app => app.MapPresenceService());
        more["services:persistence:http:0"] = persistence.ToString();
        more["services:presence:http:0"] = presence.ToString();
        for (var i = 0; i < 2; i++)
        {
            var node = await system.StartAsync(more, b => b.AddConnectionService(), app => app.MapConnectionService());
            system.Nodes = [.. system.Nodes, node];
            more[$"services:connection:http:{i}"] = node.ToString();
        }
        system.Gateway = await system.StartAsync(
            more,
            builder =>
            {
                builder.AddServiceDefaults();
                builder.AddChatAuthentication();
                builder.AddGateway();
                builder.Services.AddSingleton<INameLookup>(new FakeNames());
            },
            app =>
            {
                app.MapDefaultEndpoints();
                app.MapGateway();
            });
        return system;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in Enumerable.Reverse(_running))
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        await World.DisposeAsync();
        await Receiver.DisposeAsync();
    }

    private async Task<Uri> StartAsync(
        Dictionary<string, string?> settings, Action<WebApplicationBuilder> build, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = "Tests", ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Jwt:Key"] = TestTokens.Key,
            ["ConnectionStrings:redis"] = World.RedisServer.ConnectionString,
            ["ConnectionStrings:chatdb"] = World.DatabaseText,
            ["Gateway:HealthInterval"] = "00:00:00.1",
            ["Gateway:DrainTime"] = "00:00:00.1",
            ["Sockets:DrainTime"] = "00:00:00.1",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            // Aspire sets these variables too.
            ["OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION"] = "true",
            ["OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION"] = "true",
        });
        builder.Configuration.AddInMemoryCollection(settings);
        // Only the receiver gets the exports.
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        build(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        _running.Add(app);
        return new Uri(app.Urls.First());
    }
}

/// <summary>One traced system for several tests, each of which looks at the traces of its own conversation.</summary>
public sealed class SharedTracedSystem : IAsyncLifetime
{
    internal TracedSystem System { get; private set; } = null!;

    public async Task InitializeAsync() => System = await TracedSystem.StartAsync(
        "Tracing:SampleRatio=1", "Logging:LogLevel:Default=Information", "Logging:LogLevel:Microsoft.AspNetCore=Information");

    public async Task DisposeAsync() => await System.DisposeAsync();
}

/// <summary>
/// No other test runs meanwhile, because spans belong to the process and another test's listener would make spans that no service asks for.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracingCollection
{
    public const string Name = "Tracing";
}
