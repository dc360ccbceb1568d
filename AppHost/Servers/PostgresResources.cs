using AspireChat.AppHost.Startup;
using AspireChat.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.AppHost.Servers;

/// <summary>A PostgreSQL server that runs as a process of this machine.</summary>
internal sealed class PostgresProcessResource : ExecutableResource, IResourceWithConnectionString
{
    public PostgresProcessResource(string name, string workingDirectory, ParameterResource password) : base(name, "sh", workingDirectory)
    {
        var endpoint = new EndpointReference(this, "tcp");
        ConnectionStringExpression = ReferenceExpression.Create(
            $"Host={endpoint.Property(EndpointProperty.Host)};Port={endpoint.Property(EndpointProperty.Port)};Username={PostgresData.UserName};Password={password}");
    }

    public ReferenceExpression ConnectionStringExpression { get; }
}

/// <summary>A database of such a server. It exists as soon as the server runs.</summary>
internal sealed class PostgresProcessDatabase(string name, PostgresProcessResource server)
    : Resource(name), IResourceWithParent<PostgresProcessResource>, IResourceWithConnectionString
{
    public PostgresProcessResource Parent => server;

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{server};Database={Name}");
}

internal static class PostgresResources
{
    // A new major version of PostgreSQL does not read the data of the one before, so its number is in the volume's name too.
    private const string Tag = "18.3";

    // The orchestrator sends SIGTERM, which PostgreSQL answers by waiting for its clients to leave. SIGINT does not wait. When this shell is
    // killed, the kernel sends that signal to the server (see WithDeathSignal).
    private const string StopAtOnce = """
        "$@" & server=$!
        trap 'kill -INT $server' TERM INT
        wait $server; code=$?
        while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
        exit $code
        """;

    /// <summary>A PostgreSQL server with one database, and gives the database.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddPostgresServer(
        this IDistributedApplicationBuilder builder, string name, string database)
    {
        var password = builder.AddSecret($"{name}-password");
        return builder.ServerChoice().Containers
            ? builder.AddContainer(name, database, password)
            : builder.AddProcess(name, database, password);
    }

    private static IResourceBuilder<PostgresDatabaseResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, string database, IResourceBuilder<ParameterResource> password)
    {
        var postgres = builder.AddPostgres(name, password: password).WithImageTag(Tag);
        if (builder.VolumeFor(name, Tag.Split('.')[0]) is { } volume)
        {
            postgres.WithDataVolume(volume);
            if (builder.ExecutionContext.IsRunMode)
            {
                postgres.WithPasswordCheck(volume);
            }
        }
        return postgres.AddDatabase(database);
    }

    private static IResourceBuilder<PostgresProcessDatabase> AddProcess(
        this IDistributedApplicationBuilder builder, string name, string database, IResourceBuilder<ParameterResource> password)
    {
        var folder = builder.ServerChoice().Folder;
        var path = PostgresData.IsReachable(folder.For(name)) ? folder.For(name) : folder.OutsideFor(name);
        var data = new PostgresData(path, database, durable: !folder.IsTemporary);
        var port = Ports.Free();
        var resource = new PostgresProcessResource(name, Path.GetDirectoryName(path)!, password.Resource);
        string? connectionString = null;
        builder.Services.AddHealthChecks()
            .AddNpgSql(_ => connectionString!, name: $"{name}_check")
            .AddNpgSql(_ => $"{connectionString};Database={database}", name: $"{database}_check");
        builder.AddStartCheck(data.Check);
        IReadOnlyList<string> settings = folder.IsTemporary ? ["fsync=off"] : [];
        var server = builder.AddResource(resource)
            .WithArgs(context =>
            {
                foreach (var argument in (string[])["-c", StopAtOnce, name, .. data.Command(port, settings).WithDeathSignal("INT")])
                {
                    context.Args.Add(argument);
                }
            })
            .WithEnvironment("LC_ALL", "C")
            .WithEndpoint(port, port, scheme: "tcp", name: "tcp", isProxied: false)
            .WithHealthCheck($"{name}_check")
            .WithIconName("Database")
            .OnConnectionStringAvailable(async (postgres, _, cancellation) =>
                connectionString = await postgres.ConnectionStringExpression.GetValueAsync(cancellation))
            .OnBeforeResourceStarted(async (_, _, cancellation) =>
                await data.PrepareAsync(port, (await password.Resource.GetValueAsync(cancellation))!, settings, cancellation));
        var child = new PostgresProcessDatabase(database, server.Resource);
        // Aspire gives the state of a container to its children, that of a process not.
        server.OnResourceReady((_, ready, _) => ready.Services.SayStateAsync(child, KnownResourceStates.Running))
            .OnResourceStopped((_, stopped, _) => stopped.Services.SayStateAsync(child, KnownResourceStates.Finished));
        return builder.AddResource(child).WithHealthCheck($"{database}_check").WithIconName("Table");
    }

    private static Task SayStateAsync(this IServiceProvider services, PostgresProcessDatabase database, string state) =>
        services.GetRequiredService<ResourceNotificationService>().PublishUpdateAsync(database, known => known with { State = state });
}
