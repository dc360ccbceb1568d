using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using AspireChat.LocalHost.Running;

namespace AspireChat.Tests.LocalHost;

/// <summary>What a project is started with: the same variables that genuine Aspire gives.</summary>
public sealed class ResourceEnvironmentTests
{
    [Fact]
    public async Task Project_gets_connection_strings_service_addresses_and_telemetry_names()
    {
        using var builder = DistributedApplicationTestingBuilder.Create("--Parameters:redis-password=secret", "--Parameters:key=k");
        var key = builder.AddParameter("key", secret: true);
        var redis = builder.AddRedis("redis");
        var back = builder.AddProject<Projects.ConnectionService>("back").WithReplicas(2).WithHttpEndpoint();
        var front = builder.AddProject<Projects.Gateway>("front").WithHttpEndpoint()
            .WithReference(redis).WithReference(back).WithEnvironment("Jwt__Key", key)
            .WithEnvironment("Text", $"<{key}>").WithEnvironment("Where", back.GetEndpoint("http"));

        var variables = await VariablesAsync(builder, front.Resource, 0);

        var ports = back.Resource.Annotations.OfType<EndpointAnnotation>().Single().ReplicaEndpoints.Select(e => e.Port).ToList();
        Assert.Equal(2, ports.Distinct().Count());
        Assert.Equal($"localhost:{redis.Resource.PrimaryEndpoint.Port},password=secret", variables["ConnectionStrings__redis"]);
        Assert.Equal($"http://localhost:{ports[0]}", variables["services__back__http__0"]);
        Assert.Equal($"http://localhost:{ports[1]}", variables["services__back__http__1"]);
        Assert.Equal(front.GetEndpoint("http").Url, variables["ASPNETCORE_URLS"]);
        Assert.Equal("front", variables["OTEL_SERVICE_NAME"]);
        Assert.Equal("service.instance.id=front-0", variables["OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal("k", variables["Jwt__Key"]);
        Assert.Equal("<k>", variables["Text"]);
        Assert.Equal($"http://localhost:{ports[0]}", variables["Where"]);
    }

    [Fact]
    public async Task Replicas_differ_in_address_and_instance()
    {
        using var builder = DistributedApplicationTestingBuilder.Create();
        var back = builder.AddProject<Projects.ConnectionService>("back").WithReplicas(2).WithHttpEndpoint();

        var first = await VariablesAsync(builder, back.Resource, 0);
        var second = await VariablesAsync(builder, back.Resource, 1, allocate: false);

        Assert.NotEqual(first["ASPNETCORE_URLS"], second["ASPNETCORE_URLS"]);
        Assert.Equal("service.instance.id=back-1", second["OTEL_RESOURCE_ATTRIBUTES"]);
    }

    [Fact]
    public async Task Missing_parameter_names_the_key_to_set()
    {
        using var builder = DistributedApplicationTestingBuilder.Create();
        var key = builder.AddParameter("jwt-key", secret: true);

        var missing = await Assert.ThrowsAsync<DistributedApplicationException>(
            async () => await key.Resource.GetValueAsync(CancellationToken.None));

        Assert.Contains("Parameters__jwt_key", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fixed_port_cannot_be_shared_by_replicas()
    {
        using var builder = DistributedApplicationTestingBuilder.Create("--DcpPublisher:RandomizePorts=false");
        builder.AddProject<Projects.ConnectionService>("back").WithReplicas(2).WithHttpEndpoint(port: 12_345);

        var allocator = new EndpointAllocator(builder.Configuration);
        var refused = Assert.Throws<DistributedApplicationException>(() => allocator.Allocate(builder.Resources));

        Assert.Contains("back", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resources_stop_before_what_they_wait_for()
    {
        using var builder = DistributedApplicationTestingBuilder.Create();
        var postgres = builder.AddPostgres("postgres");
        var database = postgres.AddDatabase("db");
        var redis = builder.AddRedis("redis");
        var back = builder.AddProject<Projects.ConnectionService>("back").WaitFor(database).WaitFor(redis);
        builder.AddProject<Projects.Gateway>("front").WaitFor(back);

        var levels = StopOrder.Levels(builder.Resources).Select(l => l.Select(r => r.Name).Order().ToList()).ToList();

        Assert.Equal<string[]>([["front"], ["back"], ["db", "redis"], ["postgres"]], [.. levels.Select(l => l.ToArray())]);
    }

    private static async Task<Dictionary<string, string>> VariablesAsync(
        IDistributedApplicationBuilder builder, IResource resource, int replica, bool allocate = true)
    {
        if (allocate) new EndpointAllocator(builder.Configuration).Allocate(builder.Resources);
        return await new ResourceEnvironments(builder.ExecutionContext).VariablesAsync(resource, replica, CancellationToken.None);
    }
}
