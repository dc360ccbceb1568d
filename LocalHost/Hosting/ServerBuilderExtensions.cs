using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Docker;
using Aspire.Hosting.Kubernetes;
using AspireChat.LocalHost.Running;

namespace Aspire.Hosting
{
    public static class RedisBuilderExtensions
    {
        public static IResourceBuilder<RedisResource> AddRedis(
            this IDistributedApplicationBuilder builder, string name, int? port = null,
                IResourceBuilder<ParameterResource>? password = null)
        {
            // StackExchange.Redis cannot parse a password with a comma, so it has no special characters.
            var parameter = password?.Resource ??
                ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
            var redis = new RedisResource(name, parameter);
            return builder.AddResource(redis)
                .WithEndpoint(port, targetPort: 6379, name: RedisResource.PrimaryEndpointName)
                .WithArgs(context =>
                {
                    context.Args.Add("redis-server");
                    if (redis.Annotations.OfType<RedisPersistence>().LastOrDefault() is not { } persistence) return;
                    context.Args.Add("--save");
                    context.Args.Add(((long)persistence.Interval.TotalSeconds).ToString(CultureInfo.InvariantCulture));
                    context.Args.Add(persistence.KeysChangedThreshold.ToString(CultureInfo.InvariantCulture));
                })
                .WithAnnotation(new ReplicaHealthCheck($"{name}_check", (_, ct) => RedisServer.CheckAsync(redis, ct)));
        }

        /// <summary>Keeps the data between runs, and takes snapshots.</summary>
        public static IResourceBuilder<RedisResource> WithDataVolume(
            this IResourceBuilder<RedisResource> builder, string? name = null, bool isReadOnly = false)
        {
            builder.WithAnnotation(new ContainerMountAnnotation(name, "/data"));
            return isReadOnly ? builder : builder.WithPersistence();
        }

        /// <summary>Takes a snapshot after <paramref name="interval"/> (60 s) when at least that many keys changed.</summary>
        public static IResourceBuilder<RedisResource> WithPersistence(
            this IResourceBuilder<RedisResource> builder, TimeSpan? interval = null, long keysChangedThreshold = 1) =>
            builder.WithAnnotation(
                new RedisPersistence(interval ?? TimeSpan.FromSeconds(60), keysChangedThreshold),
                    ResourceAnnotationMutationBehavior.Replace);

        private sealed record RedisPersistence(TimeSpan Interval, long KeysChangedThreshold) : IResourceAnnotation;
    }

    public static class PostgresBuilderExtensions
    {
        public static IResourceBuilder<PostgresServerResource> AddPostgres(
            this IDistributedApplicationBuilder builder,
            string name,
            IResourceBuilder<ParameterResource>? userName = null,
            IResourceBuilder<ParameterResource>? password = null,
            int? port = null)
        {
            var parameter = password?.Resource ??
                ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
            var postgres = new PostgresServerResource(name, userName?.Resource, parameter);
            return builder.AddResource(postgres)
                .WithEndpoint(port, targetPort: 5432, name: PostgresServerResource.PrimaryEndpointName)
                .WithAnnotation(new ReplicaHealthCheck($"{name}_check", (_, ct) => PostgresServer.CheckAsync(postgres, "postgres", ct)));
        }

        /// <summary>Adds a database, created when the server is ready.</summary>
        public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
            this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
        {
            var database = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
            builder.Resource.AddDatabase(name, database.DatabaseName);
            return builder.ApplicationBuilder.AddResource(database)
                .WithAnnotation(new ReplicaHealthCheck(
                    $"{name}_check", (_, ct) => PostgresServer.CheckAsync(builder.Resource, database.DatabaseName, ct)));
        }

        /// <summary>Keeps the data between runs.</summary>
        public static IResourceBuilder<PostgresServerResource> WithDataVolume(
            this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false) =>
            builder.WithAnnotation(new ContainerMountAnnotation(name, "/var/lib/postgresql/data"));
    }

    public static class DockerComposeEnvironmentExtensions
    {
        public static IResourceBuilder<DockerComposeEnvironmentResource> AddDockerComposeEnvironment(
            this IDistributedApplicationBuilder builder, string name) =>
            builder.CreateResourceBuilder(new DockerComposeEnvironmentResource(name));
    }

    public static class KubernetesEnvironmentExtensions
    {
        public static IResourceBuilder<KubernetesEnvironmentResource> AddKubernetesEnvironment(
            this IDistributedApplicationBuilder builder, string name) =>
            builder.CreateResourceBuilder(new KubernetesEnvironmentResource(name));
    }
}

namespace Aspire.Hosting.Docker
{
    /// <summary>A publishing target; runs have nothing of it.</summary>
    public class DockerComposeEnvironmentResource(string name) : Resource(name), IComputeEnvironmentResource;
}

namespace Aspire.Hosting.Kubernetes
{
    /// <summary>A publishing target; runs have nothing of it.</summary>
    public class KubernetesEnvironmentResource(string name) : Resource(name), IComputeEnvironmentResource;
}
