using System.ComponentModel.DataAnnotations;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Subscriptions;

internal static class SubscriptionRegistration
{
    public static IServiceCollection AddSubscriptions(this IServiceCollection services)
    {
        services.AddValidatedOptions<SubscriptionOptions>(SubscriptionOptions.Section);
        services.AddSingleton<PubSubConnection>();
        services.AddSingleton<IChannelSubscriber>(provider => provider.GetRequiredService<PubSubConnection>());
        services.AddSingleton<SubscriptionProbe>();
        services.AddHostedService(provider => provider.GetRequiredService<SubscriptionProbe>());
        services.AddHealthChecks().AddCheck<SubscriptionProbe>("subscription");
        return services;
    }
}

/// <summary>The pub/sub connection. Section <c>Subscriptions</c>.</summary>
public sealed class SubscriptionOptions
{
    public const string Section = "Subscriptions";

    /// <summary>How long a hub waits for a channel before joins and new connections are refused. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the replica sends itself a message through Redis. Default 500 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Without a probe for this long the replica is not ready: new connections go elsewhere. At least three intervals. Default 3 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.200", "00:05:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(3);
}
