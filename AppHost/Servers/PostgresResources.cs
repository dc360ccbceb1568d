using AspireChat.AppHost.Startup;
using AspireChat.Servers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

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

/// <summary>
/// The database and how PersistenceService signs in: as the owner for migrations, and as the writer for everything else. What the
/// database's own connection string names is the superuser, for the dashboard and for tests.
/// </summary>
internal sealed record ChatDatabase(
    IResourceBuilder<IResourceWithConnectionString> Database, ReferenceExpression Writer, ReferenceExpression Owner);

internal static class PostgresResources
{
    // A new major version of PostgreSQL does not read the data of the one before, so its number is in the volume's name too.
    private const string Tag = "18.3";

    // The orchestrator sends SIGTERM, which PostgreSQL answers by waiting for its clients to leave. SIGINT does not wait. When this shell
    // is killed, the kernel sends that signal to the server (see WithDeathSignal).
    private const string StopAtOnce = """
        "$@" & server=$!
        trap 'kill -INT $server' TERM INT
        wait $server; code=$?
        while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
        exit $code
        """;

    /// <summary>A PostgreSQL server with one database and its two roles, and gives the database.</summary>
    public static ChatDatabase AddPostgresServer(this IDistributedApplicationBuilder builder, string name, string database)
    {
        var passwords = new Passwords(
            builder.AddSecret($"{name}-password"),
            builder.AddSecret($"{name}-owner-password"),
            builder.AddSecret($"{name}-writer-password"));
        return builder.ServerChoice().Containers
            ? builder.AddContainer(name, database, passwords)
            : builder.AddProcess(name, database, passwords);
    }

    /// <summary>Gives a service both connection strings, and lets it wait for the database.</summary>
    public static IResourceBuilder<ProjectResource> WithDatabase(
        this IResourceBuilder<ProjectResource> builder, ChatDatabase database) => builder
        .WithEnvironment($"ConnectionStrings__{database.Database.Resource.Name}", database.Writer)
        .WithEnvironment($"ConnectionStrings__{database.Database.Resource.Name}_owner", database.Owner)
        .WaitFor(database.Database);

    private static ChatDatabase AddContainer(
        this IDistributedApplicationBuilder builder, string name, string database, Passwords passwords)
    {
        var password = passwords.Superuser;
        var postgres = builder.AddPostgres(name, password: password).WithImageTag(Tag);
        if (builder.VolumeFor(name, Tag.Split('.')[0]) is { } volume)
        {
            postgres.WithDataVolume(volume);
            if (builder.ExecutionContext.IsRunMode)
            {
                postgres.WithPasswordCheck(volume);
            }
        }
        var chatdb = postgres.AddDatabase(database);
        if (builder.ExecutionContext.IsRunMode)
        {
            // Published, the image does this (deploy/compose/postgres).
            chatdb.OnResourceReady(async (ready, _, cancellation) =>
            {
                var roles = await passwords.RolesAsync(cancellation);
                await using var source = NpgsqlDataSource.Create((await ready.ConnectionStringExpression.GetValueAsync(cancellation))!);
                await using var command = source.CreateCommand(roles.Statements);
                await command.ExecuteNonQueryAsync(cancellation);
            });
        }

        return passwords.Of(chatdb, postgres.Resource.PrimaryEndpoint, database);
    }

    private static ChatDatabase AddProcess(
        this IDistributedApplicationBuilder builder, string name, string database, Passwords passwords)
    {
        var password = passwords.Superuser;
        var folder = builder.ServerChoice().Folder;
        var path = PostgresData.IsReachable(folder.For(name)) ? folder.For(name) : folder.OutsideFor(name);
        PostgresData Data(PostgresRoles? roles) => new(path, database, roles, durable: !folder.IsTemporary);
        var data = Data(roles: null);
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
                await Data(await passwords.RolesAsync(cancellation)).PrepareAsync(
                    port, (await password.Resource.GetValueAsync(cancellation))!, settings, cancellation));
        var child = new PostgresProcessDatabase(database, server.Resource);
        // Aspire gives the state of a container to its children, that of a process not.
        server.OnResourceReady((_, ready, _) => ready.Services.SayStateAsync(child, KnownResourceStates.Running))
            .OnResourceStopped((_, stopped, _) => stopped.Services.SayStateAsync(child, KnownResourceStates.Finished));
        return passwords.Of(
            builder.AddResource(child).WithHealthCheck($"{database}_check").WithIconName("Table"),
            new EndpointReference(resource, "tcp"), database);
    }

    private static Task SayStateAsync(this IServiceProvider services, PostgresProcessDatabase database, string state) =>
        services.GetRequiredService<ResourceNotificationService>().PublishUpdateAsync(database, known => known with { State = state });

    private sealed record Passwords(
        IResourceBuilder<ParameterResource> Superuser,
        IResourceBuilder<ParameterResource> Owner,
        IResourceBuilder<ParameterResource> Writer)
    {
        public async ValueTask<PostgresRoles> RolesAsync(CancellationToken cancellationToken) => new(
            (await Owner.Resource.GetValueAsync(cancellationToken))!, (await Writer.Resource.GetValueAsync(cancellationToken))!);

        public ChatDatabase Of(IResourceBuilder<IResourceWithConnectionString> resource, EndpointReference server, string database)
        {
            var (host, port) = (server.Property(EndpointProperty.Host), server.Property(EndpointProperty.Port));
            ReferenceExpression As(string user, IResourceBuilder<ParameterResource> password) => ReferenceExpression.Create(
                $"Host={host};Port={port};Username={user};Password={password};Database={database}");
            return new ChatDatabase(resource, As(PostgresRoles.Writer, Writer), As(PostgresRoles.Owner, Owner));
        }
    }
}
