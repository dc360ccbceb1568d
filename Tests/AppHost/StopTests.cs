using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using AspireChat.Chaos.Stack;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.AppHost;

/// <summary>
/// How the AppHost stops, tested with one service and its server, which start quickly, and one resource that was not started.
/// </summary>
[Trait("Needs", "AppHost")]
[Trait("Needs", "Redis")]
public sealed class StopTests
{
    private static readonly string[] Kept = ["presence", "redis", "redis-password", "jwt-key", "demo"];

    [Fact]
    public async Task A_service_ends_before_the_server_that_it_needs()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            ["ASPIRECHAT_PORT=0", "Data:Temporary=true", "Servers=processes"], patience.Token);
        builder.Services.AddLogging(logging => logging.ClearProviders());
        foreach (var resource in builder.Resources.Where(resource => !Kept.Contains(resource.Name)).ToList())
        {
            builder.Resources.Remove(resource);
        }

        await using var application = await builder.BuildAsync(patience.Token);
        await application.StartAsync(patience.Token);
        await application.ResourceNotifications.WaitForResourceHealthyAsync("presence", patience.Token);
        using var redis = Process.GetProcessById(await ProcessOfAsync(application, "redis", patience.Token));
        using var presence = Process.GetProcessById(await ProcessOfAsync(application, "presence", patience.Token));
        var redisOutlivedIt = OutlivesAsync(redis, presence, patience.Token);

        await application.StopAsync(patience.Token);

        Assert.True(await redisOutlivedIt, "Redis ended before the service that needs it.");
    }

    private static async Task<bool> OutlivesAsync(Process server, Process service, CancellationToken cancellationToken)
    {
        await service.WaitForExitAsync(cancellationToken);
        return !server.HasExited;
    }

    private static async Task<int> ProcessOfAsync(DistributedApplication application, string name, CancellationToken cancellationToken)
    {
        var running = await application.ResourceNotifications.WaitForResourceAsync(
            name, change => RunningAppHost.ExecutableOf(change.Snapshot) is not null, cancellationToken);
        return RunningAppHost.ExecutableOf(running.Snapshot)!.Value;
    }
}
