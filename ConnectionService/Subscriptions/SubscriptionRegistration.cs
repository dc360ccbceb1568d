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
