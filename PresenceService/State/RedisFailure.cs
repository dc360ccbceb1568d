using StackExchange.Redis;

namespace AspireChat.PresenceService.State;

internal static class RedisFailure
{
    /// <summary>
    /// Redis is away or too slow: expected now and then, answered with 503 or tried again. A script's fault is not among them.
    /// </summary>
    public static bool Is(Exception e) => e is RedisConnectionException or RedisTimeoutException
        // Restarted servers answer so until their data is read.
        || e is RedisServerException { Message: var message } && message.StartsWith("LOADING", StringComparison.Ordinal);
}
