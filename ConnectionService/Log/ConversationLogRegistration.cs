namespace AspireChat.ConnectionService.Log;

/// <summary>Registers the conversation log: needs <c>AddRedisClient</c>, offers <see cref="IConversationLog"/>.</summary>
public static class ConversationLogRegistration
{
    public static IServiceCollection AddConversationLog(this IServiceCollection services)
    {
        services.AddOptions<ConversationLogOptions>().BindConfiguration(ConversationLogOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ConversationLogMetrics>();
        services.AddSingleton<RedisConversationLog>();
        services.AddSingleton<IConversationLog>(provider => provider.GetRequiredService<RedisConversationLog>());
        services.AddHostedService(provider => provider.GetRequiredService<RedisConversationLog>());
        return services;
    }
}
