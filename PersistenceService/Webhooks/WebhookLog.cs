using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Webhooks;

internal static partial class WebhookLog
{
    [LoggerMessage(LogEvents.Persistence + 60, LogLevel.Warning,
        "Webhook {Webhook} did not take a call: {Error}; it is repeated ({Count} times since the last such line)")]
    public static partial void Failing(ILogger logger, int webhook, string error, long count);

    [LoggerMessage(LogEvents.Persistence + 61, LogLevel.Error,
        "Call {Id} with {Events} events for webhook {Webhook} is a dead letter after {Attempts} attempts: {Error}")]
    public static partial void Buried(ILogger logger, string id, int events, int webhook, int attempts, string error);

    [LoggerMessage(LogEvents.Persistence + 62, LogLevel.Warning,
        "The outbox of webhooks cannot be reached; trying again ({Count} failures since the last such line)")]
    public static partial void DatabaseAway(ILogger logger, Exception exception, long count);

    [LoggerMessage(LogEvents.Persistence + 63, LogLevel.Error, "A call of webhook {Webhook} failed in this service")]
    public static partial void CallFailed(ILogger logger, Exception exception, int webhook);

    [LoggerMessage(LogEvents.Persistence + 64, LogLevel.Error,
        "{Count} events that waited for webhooks were dropped: more than Webhooks:MostWaiting waited, or their webhook is no longer configured")]
    public static partial void Dropped(ILogger logger, long count);

    [LoggerMessage(LogEvents.Persistence + 65, LogLevel.Warning,
        "Redis cannot be asked for webhooks; trying again ({Count} failures since the last such line)")]
    public static partial void RedisAway(ILogger logger, Exception exception, long count);
}
