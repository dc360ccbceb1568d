using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Log;

/// <summary>Registers the conversation log: needs <c>AddRedisClient</c>, offers <see cref="IConversationLog"/>.</summary>
public static class ConversationLogRegistration
{
    public static IServiceCollection AddConversationLog(this IServiceCollection services)
    {
        services.AddValidatedOptions<ConversationLogOptions>(ConversationLogOptions.Section);
        services.AddSingleton<ConversationLogMetrics>();
        services.AddSingleton<RedisConversationLog>();
        services.AddSingleton<IConversationLog>(provider => provider.GetRequiredService<RedisConversationLog>());
        services.AddHostedService(provider => provider.GetRequiredService<RedisConversationLog>());
        return services;
    }
}
