using System.Text.RegularExpressions;
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

internal static partial class RedisResources
{
    // A newer Redis may not be what the services were tested with. The tag is the newest that Aspire's package names.
    private const string Tag = "8.6";

    /// <summary>
    /// Redis with every command in its append-only file. Snapshots alone lose what was acknowledged since the last one.
    /// <c>Redis:AppendFsync</c> says when that file is forced to disk: <c>everysec</c> (unless set) or <c>always</c>.
    /// <c>Redis:MaxMemory</c> (1 GiB unless set) bounds its memory. A full Redis refuses sends and loses nothing; without a bound the kernel would
    /// end it.
    /// </summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddRedisServer(this IDistributedApplicationBuilder builder, string name)
    {
        var fsync = builder.Configuration["Redis:AppendFsync"] ?? "everysec";
        if (fsync is not ("everysec" or "always"))
        {
            throw new ServerException($"Redis:AppendFsync is '{fsync}', but can only be everysec or always.");
        }

        var memory = builder.Configuration["Redis:MaxMemory"] ?? "1gb";
        if (!Memory().IsMatch(memory))
        {
            throw new ServerException($"Redis:MaxMemory is '{memory}', but must be a number with mb or gb, such as 512mb.");
        }

        var password = builder.AddSecret($"{name}-password");
        (string Name, string Value)[] directives =
            [("appendonly", "yes"), ("appendfsync", fsync), ("maxmemory", memory), ("maxmemory-policy", "noeviction")];
        return builder.ServerChoice().Containers
            ? builder.AddContainer(name, password, directives)
            : builder.AddProcess(name, password, directives);
    }

    private static IResourceBuilder<RedisResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource> password,
        (string Name, string Value)[] directives)
    {
#pragma warning disable ASPIRECERTIFICATES001 // For evaluation. Without it a machine with a developer certificate gets another address.
        var redis = builder.AddRedis(name, password: password).WithImageTag(Tag).WithoutHttpsCertificate().WithArgs(context =>
#pragma warning restore ASPIRECERTIFICATES001
        {
            var options = directives.SelectMany(directive => new[] { "--" + directive.Name, directive.Value });
            // Published, the whole command is one argument of `sh -c`; arguments after it would be the shell's, not Redis's. A shell that
            // is a container's first process ignores the signal to stop and passes it to nobody, so Redis takes its place.
            if (context.ExecutionContext.IsPublishMode)
            {
                context.Args[^1] = $"exec {context.Args[^1]} {string.Join(' ', options)}";
            }
            else
            {
                foreach (var option in options)
                {
                    context.Args.Add(option);
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
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource> password,
        (string Name, string Value)[] directives)
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
                port, (await password.Resource.GetValueAsync(cancellation))!,
                [.. directives.Select(directive => $"{directive.Name} {directive.Value}")], cancellation));
    }

    [GeneratedRegex("^[1-9][0-9]*(mb|gb)$")]
    private static partial Regex Memory();
}
