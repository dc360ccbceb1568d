using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AspireChat.Tests.LocalHost;

/// <summary>The application's own model, run by the testing builder.</summary>
[Trait("Needs", "System")]
public sealed class AppHostTests
{
    [Fact]
    public async Task Whole_application_becomes_healthy_and_a_killed_replica_comes_back_where_it_was()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(patience.Token);
        await using var app = await builder.BuildAsync(patience.Token);
        await app.StartAsync(patience.Token);
        var states = app.ResourceNotifications;
        await states.WaitForResourceHealthyAsync("gateway", patience.Token);

        using var gateway = app.CreateHttpClient("gateway");
        Assert.Contains("\"token\"", await gateway.GetStringAsync(new Uri("/dev/token?user=alice", UriKind.Relative), patience.Token));
        Assert.Contains("Database=chatdb", await app.GetConnectionStringAsync("chatdb", patience.Token));

        Assert.True(states.TryGetCurrentState("connection-0", out var first));
        Assert.True(states.TryGetCurrentState("connection-1", out var second));
        Assert.NotEqual(UrlOf(first), UrlOf(second));
        var pid = PidOf(first);
        Processes.Kill(pid);
        var back = await states.WaitForResourceAsync(
            "connection-0",
            e => PidOf(e) is var now && now != 0 && now != pid && e.Snapshot.HealthStatus == HealthStatus.Healthy,
            patience.Token);

        Assert.Equal(UrlOf(first), UrlOf(back));
        Assert.True(states.TryGetCurrentState("connection-1", out var untouched));
        Assert.Equal(PidOf(second), PidOf(untouched));
    }

    private static int PidOf(ResourceEvent replica) =>
        replica.Snapshot.Properties.FirstOrDefault(p => p.Name == "executable.pid")?.Value as int? ?? 0;

    private static string UrlOf(ResourceEvent replica) => Assert.Single(replica.Snapshot.Urls).Url;
}
