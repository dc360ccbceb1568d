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
            var redis = new RedisResource(name, parameter) { Entrypoint = "/bin/sh" };
            return builder.AddResource(redis)
                .WithEndpoint(port, targetPort: 6379, scheme: "redis", name: RedisResource.PrimaryEndpointName)
                .WithAnnotation(new ContainerImageAnnotation { Registry = "docker.io", Image = "library/redis", Tag = "8.6" })
                .WithEnvironment(context =>
                {
                    // A run gives the password in a file; a container's shell puts it into the command line inside the container.
                    if (context.ExecutionContext.IsPublishMode) context.EnvironmentVariables["REDIS_PASSWORD"] = parameter;
                })
                .WithArgs(context =>
                {
                    List<string> command = ["redis-server"];
                    if (context.ExecutionContext.IsPublishMode) command.AddRange("--requirepass", "$REDIS_PASSWORD");
                    if (redis.Annotations.OfType<RedisPersistence>().LastOrDefault() is { } persistence)
                    {
                        command.Add("--save");
                        command.Add(((long)persistence.Interval.TotalSeconds).ToString(CultureInfo.InvariantCulture));
                        command.Add(persistence.KeysChangedThreshold.ToString(CultureInfo.InvariantCulture));
                    }

                    if (context.ExecutionContext.IsPublishMode) command = ["-c", string.Join(' ', command)];
                    foreach (var argument in command) context.Args.Add(argument);
                })
                .WithAnnotation(new ReplicaHealthCheck($"{name}_check", (_, ct) => RedisServer.CheckAsync(redis, ct)));
        }

        /// <summary>Keeps the data between runs, and takes snapshots.</summary>
        public static IResourceBuilder<RedisResource> WithDataVolume(
            this IResourceBuilder<RedisResource> builder, string? name = null, bool isReadOnly = false)
        {
            builder.WithAnnotation(new ContainerMountAnnotation(name ?? $"{builder.Resource.Name}-data", "/data", isReadOnly));
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
                ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password");
            var postgres = new PostgresServerResource(name, userName?.Resource, parameter);
            return builder.AddResource(postgres)
                .WithEndpoint(port, targetPort: 5432, name: PostgresServerResource.PrimaryEndpointName)
                .WithAnnotation(new ContainerImageAnnotation { Registry = "docker.io", Image = "library/postgres", Tag = "18.3" })
                .WithEnvironment(context =>
                {
                    if (!context.ExecutionContext.IsPublishMode) return; // A run sets up the cluster itself.
                    context.EnvironmentVariables["POSTGRES_HOST_AUTH_METHOD"] = "scram-sha-256";
                    context.EnvironmentVariables["POSTGRES_INITDB_ARGS"] = "--auth-host=scram-sha-256 --auth-local=scram-sha-256";
                    context.EnvironmentVariables["POSTGRES_USER"] = postgres.UserNameReference;
                    context.EnvironmentVariables["POSTGRES_PASSWORD"] = postgres.PasswordParameter;
                })
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

        /// <summary>Keeps the data between runs. PostgreSQL 18 and later keep it one folder above where older ones did.</summary>
        public static IResourceBuilder<PostgresServerResource> WithDataVolume(
            this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false) =>
            builder.WithAnnotation(
                new ContainerMountAnnotation(name ?? $"{builder.Resource.Name}-data", "/var/lib/postgresql", isReadOnly));
    }

    public static class DockerComposeEnvironmentExtensions
    {
        public static IResourceBuilder<DockerComposeEnvironmentResource> AddDockerComposeEnvironment(
            this IDistributedApplicationBuilder builder, string name) =>
            PublishingTarget.Add(builder, new DockerComposeEnvironmentResource(name));

        /// <summary>Without (false) what is published has no dashboard; the local host cannot publish one.</summary>
        public static IResourceBuilder<DockerComposeEnvironmentResource> WithDashboard(
            this IResourceBuilder<DockerComposeEnvironmentResource> builder, bool enabled = true) =>
            PublishingTarget.RefuseDashboard(builder, enabled);
    }

    public static class KubernetesEnvironmentExtensions
    {
        public static IResourceBuilder<KubernetesEnvironmentResource> AddKubernetesEnvironment(
            this IDistributedApplicationBuilder builder, string name) =>
            PublishingTarget.Add(builder, new KubernetesEnvironmentResource(name));

        /// <summary>Without (false) what is published has no dashboard; the local host cannot publish one.</summary>
        public static IResourceBuilder<KubernetesEnvironmentResource> WithDashboard(
            this IResourceBuilder<KubernetesEnvironmentResource> builder, bool enabled = true) =>
            PublishingTarget.RefuseDashboard(builder, enabled);
    }

    internal static class PublishingTarget
    {
        /// <summary>A target is a resource of what is published, and of no run.</summary>
        public static IResourceBuilder<T> Add<T>(IDistributedApplicationBuilder builder, T target)
            where T : IComputeEnvironmentResource =>
            builder.ExecutionContext.IsPublishMode ? builder.AddResource(target) : builder.CreateResourceBuilder(target);

        public static IResourceBuilder<T> RefuseDashboard<T>(IResourceBuilder<T> builder, bool enabled)
            where T : IComputeEnvironmentResource =>
            enabled
                ? throw new DistributedApplicationException("The local host cannot publish Aspire's dashboard: WithDashboard(false).")
                : builder;
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
