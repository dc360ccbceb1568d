namespace AspireChat.ConnectionService.Kicks;

internal static class KickRegistration
{
    public static IServiceCollection AddKicks(this IServiceCollection services)
    {
        services.AddSingleton<KickLog>();
        services.AddHostedService<KickReader>();
        return services;
    }
}
