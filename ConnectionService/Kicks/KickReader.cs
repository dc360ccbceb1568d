using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Kicks;

/// <summary>
/// Reads the orders to disconnect users that pub/sub may not have brought: within a second they reach every replica that reaches Redis.
/// One small read per <see cref="SubscriptionOptions.ProbeInterval"/>.
/// </summary>
internal sealed class KickReader(
    KickLog log, HubDirectory hubs, IOptions<SubscriptionOptions> options, TimeProvider time) : BackgroundService
{
    /// <summary>From the beginning: orders older than a connection are not for it.</summary>
    private string _place = "0-0";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.ProbeInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await ReadAsync();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            (var kicks, _place) = await log.ReadAsync(_place);
            foreach (var (user, at) in kicks)
            {
                hubs.OfUser(user).Post(new HubMessage.Kicked(user, at));
            }
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            // Redis is away, as the probe will say; the next read begins where this one did.
        }
    }
}

internal static class KickRegistration
{
    public static IServiceCollection AddKicks(this IServiceCollection services)
    {
        services.AddSingleton<KickLog>();
        services.AddHostedService<KickReader>();
        return services;
    }
}
