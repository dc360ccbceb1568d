using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AspireChat.AppHost.Startup;

/// <summary>Ends the output of a start with the two links that a person needs, or with the name of what failed.</summary>
internal static class ReadyReport
{
    public static IDistributedApplicationBuilder AddReadyReport(this IDistributedApplicationBuilder builder, string resource)
    {
        if (builder.ExecutionContext.IsRunMode && !builder.IsTest())
        {
            builder.Services.AddHostedService(services => new Reporter(
                resource, builder.Configuration, services.GetRequiredService<ResourceNotificationService>()));
        }
        return builder;
    }

    private sealed class Reporter(string resource, IConfiguration configuration, ResourceNotificationService notifications) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var failures = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var reporting = ReportFailuresAsync(failures.Token);
            var ready = await notifications.WaitForResourceHealthyAsync(resource, WaitBehavior.WaitOnResourceUnavailable, stoppingToken);
            await failures.CancelAsync();
            await reporting;
            var chat = ready.Snapshot.Urls.FirstOrDefault(url => !url.IsInternal)?.Url;
            Console.WriteLine();
            Console.WriteLine($"  Chat:       {chat}");
            if (configuration["ASPNETCORE_URLS"]?.Split(';')[0] is { } dashboard)
            {
                Console.WriteLine($"  Dashboard:  {dashboard}/login?t={configuration["AppHost:BrowserToken"]}");
            }
        }

        private async Task ReportFailuresAsync(CancellationToken cancellationToken)
        {
            try
            {
                await foreach (var change in notifications.WatchAsync(cancellationToken))
                {
                    var state = change.Snapshot.State?.Text;
                    if (state is not null && KnownResourceStates.TerminalStates.Contains(state))
                    {
                        Console.Error.WriteLine($"  {change.ResourceId}: {state}. Its log is in the dashboard.");
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // Everything is up, or the host stops.
            }
        }
    }
}
