using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Hubs;

internal static class HubRegistration
{
    public static IServiceCollection AddHubs(this IServiceCollection services)
    {
        services.AddValidatedOptions<HubOptions>(HubOptions.Section);
        services.AddSingleton<HubMetrics>();
        services.AddSingleton<HubDirectory>();
        services.AddSingleton<MembershipIndex>();
        services.AddSingleton<HubService>();
        services.AddHostedService(provider => provider.GetRequiredService<HubService>());
        services.AddHealthChecks().AddCheck<HubService>("hubs");
        return services;
    }
}
