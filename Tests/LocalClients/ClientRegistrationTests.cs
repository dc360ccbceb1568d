using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Tests.LocalClients;

/// <summary>The clients that services register under Aspire's names.</summary>
public sealed class ClientRegistrationTests
{
    [Fact]
    public void Missing_connection_string_is_named_when_the_client_is_asked_for()
    {
        using var host = Build([]);

        var redis = Assert.ThrowsAny<InvalidOperationException>(host.Services.GetRequiredService<IConnectionMultiplexer>);
        var postgres = Assert.ThrowsAny<InvalidOperationException>(host.Services.GetRequiredService<NpgsqlDataSource>);

        Assert.Contains("ConnectionStrings:redis", redis.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings:chatdb", postgres.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_starts_without_its_servers_and_says_that_it_is_unhealthy()
    {
        using var host = Build(new()
        {
            ["ConnectionStrings:redis"] = $"127.0.0.1:{FreePort()},connectTimeout=200,connectRetry=0",
            ["ConnectionStrings:chatdb"] = $"Host=127.0.0.1;Port={FreePort()};Username=u;Password=p;Database=d",
        });
        await host.StartAsync();

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(HealthStatus.Unhealthy, report.Entries["StackExchange.Redis"].Status);
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["PostgreSql"].Status);
        await host.StopAsync();
    }

    [Fact]
    public void Settings_are_configured_after_the_configuration_was_read()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Aspire:Npgsql:DisableHealthChecks"] = "true",
            ["ConnectionStrings:chatdb"] = "Host=a;Database=d",
        });
        string? seen = null;
        builder.AddNpgsqlDataSource(
            "chatdb", settings => seen = $"{settings.DisableHealthChecks} {settings.ConnectionString}", source => source.Name = "named");
        using var host = builder.Build();

        Assert.Equal("True Host=a;Database=d", seen);
        Assert.Equal("a", new NpgsqlConnectionStringBuilder(host.Services.GetRequiredService<NpgsqlDataSource>().ConnectionString).Host);
        Assert.Null(host.Services.GetService<HealthCheckService>());
    }

    private static IHost Build(Dictionary<string, string?> configuration)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.AddRedisClient("redis");
        builder.AddNpgsqlDataSource("chatdb");
        return builder.Build();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
