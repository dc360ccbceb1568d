using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Writing;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>Runs a <see cref="WebhookDispatcher"/> for each webhook, once the tables are there.</summary>
internal sealed class WebhookService(IServiceProvider services, MigrationService migrations, IOptions<WebhookOptions> options) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await migrations.Done.WaitAsync(stoppingToken);
        await Task.WhenAll(options.Value.Targets.Select(async target =>
        {
            using var dispatcher = ActivatorUtilities.CreateInstance<WebhookDispatcher>(services, target.Key, target.Value, options.Value);
            await dispatcher.RunAsync(stoppingToken);
        }));
    }
}

internal static class WebhookExtensions
{
    /// <summary>Webhooks. Where none is configured, only their dead letters can be asked for; nothing is written and nothing runs.</summary>
    public static IHostApplicationBuilder AddWebhooks(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<WebhookLetters>();
        if (!WebhookOptions.IsConfigured(builder.Configuration))
        {
            return builder;
        }

        services.AddValidatedOptions<WebhookOptions>(WebhookOptions.Section)
            .Configure<IConfiguration>((options, configuration) => options.ReadTargets(configuration));
        services.AddSingleton<OutboxBell>();
        services.AddSingleton<IBatchAddition, OutboxWriter>();
        services.AddSingleton<WebhookTable>();
        services.AddSingleton<WebhookMetrics>();
        services.AddHostedService<WebhookService>();
        services.AddHostedService<UnseenWatch>();
        services.AddHostedService<PresenceFeed>();
        services.AddHostedService<OutboxKeeper>();
        return builder;
    }
}
