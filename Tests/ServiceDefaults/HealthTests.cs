using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class HealthTests
{
    [Fact]
    public async Task A_failing_check_is_named_without_its_secrets_and_does_not_make_the_process_unhealthy_to_alive()
    {
        await using var service = await RunningService.StartAsync(builder => builder.Services.AddHealthChecks()
            .AddCheck("redis", () => throw new InvalidOperationException("password=hunter2"))
            .AddCheck("subscription", () => HealthCheckResult.Unhealthy("no probe for 5 s"))
            .AddCheck("postgres", () => HealthCheckResult.Healthy("password=hunter2")));

        var health = await service.GetAsync("/health");
        var alive = await service.GetAsync("/alive");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal(
            "Unhealthy\nredis: Unhealthy (InvalidOperationException)\nsubscription: Unhealthy (no probe for 5 s)",
            await health.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal("Healthy", await alive.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_check_tagged_live_counts_for_both()
    {
        await using var service = await RunningService.StartAsync(builder => builder.Services.AddHealthChecks()
            .AddCheck("hub", () => HealthCheckResult.Unhealthy("stuck"), ["live"]));

        foreach (var path in new[] { "/health", "/alive" })
        {
            var response = await service.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("Unhealthy\nhub: Unhealthy (stuck)", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_stopping_process_says_that_it_is_not_ready()
    {
        await using var service = await RunningService.StartAsync();
        var checks = service.App.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await checks.CheckHealthAsync()).Status);

        await service.App.StopAsync();

        Assert.Equal(HealthStatus.Unhealthy, (await checks.CheckHealthAsync()).Entries["shutdown"].Status);
    }
}
