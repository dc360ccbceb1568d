using Aspire.Hosting.Testing;

namespace AspireChat.Tests.LocalHost;

/// <summary>The application's own model, run by the testing builder.</summary>
public sealed class AppHostTests
{
    [Fact]
    [Trait("Needs", "System")]
    public async Task Whole_application_starts_with_two_connection_replicas_and_leaves_nothing()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(patience.Token);
        await using var app = await builder.BuildAsync(patience.Token);
        await app.StartAsync(patience.Token);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("presence", patience.Token);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("chatdb", patience.Token);
        Assert.Contains("Database=chatdb", await app.GetConnectionStringAsync("chatdb", patience.Token));
    }
}
