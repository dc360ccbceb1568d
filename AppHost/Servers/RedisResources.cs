using AspireChat.AppHost.Startup;
using AspireChat.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.AppHost.Servers;

/// <summary>A redis-server that runs as a process of this machine.</summary>
internal sealed class RedisProcessResource : ExecutableResource, IResourceWithConnectionString
{
    public RedisProcessResource(string name, ServerCommand command, ParameterResource password)
        : base(name, command.Program, command.WorkingDirectory)
    {
        var endpoint = new EndpointReference(this, "tcp");
        ConnectionStringExpression = ReferenceExpression.Create(
            $"{endpoint.Property(EndpointProperty.Host)}:{endpoint.Property(EndpointProperty.Port)},password={password}");
    }

    public ReferenceExpression ConnectionStringExpression { get; }
}

internal static class RedisResources
{
    // A newer Redis may not be what the services were tested with. The tag is the newest that Aspire's package names.
    private const string Tag = "8.6";

    /// <summary>
    /// Redis with every command in its append-only file. Snapshots alone lose what was acknowledged since the last one.
    /// <c>Redis:AppendFsync</c> says when that file is forced to disk: <c>everysec</c> (unless set) or <c>always</c>.
    /// </summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddRedisServer(this IDistributedApplicationBuilder builder, string name)
    {
        var fsync = builder.Configuration["Redis:AppendFsync"] ?? "everysec";
        if (fsync is not ("everysec" or "always"))
        {
            throw new ServerException($"Redis:AppendFsync is '{fsync}', but can only be everysec or always.");
        }

        var password = builder.AddSecret($"{name}-password");
        return builder.ServerChoice().Containers ? builder.AddContainer(name, password, fsync) : builder.AddProcess(name, password, fsync);
    }

    private static IResourceBuilder<RedisResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource> password, string fsync)
    {
#pragma warning disable ASPIRECERTIFICATES001 // For evaluation. Without it a machine with a developer certificate gets another address.
        var redis = builder.AddRedis(name, password: password).WithImageTag(Tag).WithoutHttpsCertificate().WithArgs(context =>
#pragma warning restore ASPIRECERTIFICATES001
        {
            string[] directives = ["--appendonly", "yes", "--appendfsync", fsync];
            // Published, the whole command is one argument of `sh -c`; arguments after it would be the shell's, not Redis's. A shell that
            // is a container's first process ignores the signal to stop and passes it to nobody, so Redis takes its place.
            if (context.ExecutionContext.IsPublishMode)
            {
                context.Args[^1] = $"exec {context.Args[^1]} {string.Join(' ', directives)}";
            }
            else
            {
                foreach (var directive in directives)
                {
                    context.Args.Add(directive);
                }
            }
        });
        if (builder.VolumeFor(name) is { } volume)
        {
            redis.WithDataVolume(volume);
        }

        return redis;
    }

    private static IResourceBuilder<RedisProcessResource> AddProcess(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource> password, string fsync)
    {
        var data = new RedisData(builder.ServerChoice().Folder.For(name));
        var port = Ports.Free();
        var resource = new RedisProcessResource(name, data.Command(), password.Resource);
        string? connectionString = null;
        builder.Services.AddHealthChecks().AddRedis(_ => connectionString!, $"{name}_check");
        builder.AddStartCheck(data.Check);
        return builder.AddResource(resource)
            .WithArgs([.. data.Command().Arguments])
            .WithEndpoint(port, port, scheme: "tcp", name: "tcp", isProxied: false)
            .WithHealthCheck($"{name}_check")
            .WithIconName("Memory")
            .OnConnectionStringAvailable(async (redis, _, cancellation) => connectionString = await redis.ConnectionStringExpression.GetValueAsync(cancellation))
            .OnBeforeResourceStarted(async (_, _, cancellation) => await data.PrepareAsync(
                port, (await password.Resource.GetValueAsync(cancellation))!, [$"appendfsync {fsync}"], cancellation));
    }
}
