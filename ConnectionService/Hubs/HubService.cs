using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Hubs;

/// <summary>The hubs of this process.</summary>
internal sealed class HubService : BackgroundService, IHealthCheck
{
    /// <summary>A hub looks at its clock once a second, at least. One that has not for this long is stuck or hopelessly overloaded.</summary>
    private static readonly TimeSpan MostLag = TimeSpan.FromSeconds(5);

    private readonly List<HubLoop> _loops = [];

    public HubService(
        IOptions<HubOptions> options,
        IOptions<ConversationLogOptions> logOptions,
        HubDirectory directory,
        IChannelSubscriber subscriber,
        IConversationLog log,
        EventReader events,
        ReplayReads replays,
        JoinTurns joins,
        MembershipIndex memberships,
        IPresenceReporter presence,
        Removals removals,
        OutboundDrain drain,
        HubMetrics metrics,
        TimeProvider time,
        ILogger<Hub> logger)
    {
        var count = options.Value.Count > 0 ? options.Value.Count : Math.Clamp(Environment.ProcessorCount, 1, 16);
        var retryAfter = logOptions.Value.RetryAfterMilliseconds;
        var fault = new RecurringFault(time);
        subscriber.MayHaveMissed += () => directory.PostToAll(new HubMessage.Restored());
        for (var i = 0; i < count; i++)
        {
            var mailbox = new HubMailbox(options.Value.MailboxBytes, metrics, logger);
            directory.Add(mailbox);
            var effects = new HubEffects(mailbox, directory, subscriber, log, events, replays, joins, memberships, presence, removals, fault, logger);
            _loops.Add(new HubLoop(new Hub(options.Value, retryAfter, effects, metrics, logger), mailbox, drain, options.Value, metrics, time, logger));
        }
        metrics.Meter.CreateObservableGauge("aspirechat.hub.mailbox.messages", () => _loops.Sum(loop => loop.Mailbox.Count), "{message}");
        metrics.Meter.CreateObservableGauge("aspirechat.hub.turn.longest", () => _loops.Max(loop => loop.TakeLongestTurn()).TotalSeconds, "s",
            "The longest that a hub took for one message since the last look");
        metrics.Meter.CreateObservableGauge("aspirechat.hub.mailbox.size", () => _loops.Sum(loop => loop.Mailbox.Bytes), "By");
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_loops.Exists(loop => loop.Lag > MostLag)
            ? HealthCheckResult.Unhealthy("a hub does not keep up")
            : HealthCheckResult.Healthy());

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_loops.Select(loop => Task.Run(() => loop.RunAsync(stoppingToken), CancellationToken.None)));
}

internal static class HubRegistration
{
    public static IServiceCollection AddHubs(this IServiceCollection services)
    {
        services.AddValidatedOptions<HubOptions>(HubOptions.Section);
        services.AddSingleton<HubMetrics>();
        services.AddSingleton<HubDirectory>();
        services.AddSingleton<MembershipIndex>();
        services.AddSingleton<Removals>();
        services.AddSingleton<ReplayReads>();
        services.AddSingleton<JoinTurns>();
        services.AddSingleton<HubService>();
        services.AddHostedService(provider => provider.GetRequiredService<HubService>());
        services.AddHealthChecks().AddCheck<HubService>("hubs");
        return services;
    }
}
