using StackExchange.Redis;

namespace AspireChat.ServiceDefaults;

/// <summary>What all Redis connections of the services have in common.</summary>
public static class RedisDefaults
{
    /// <summary>
    /// Answers are read on the thread pool. By default the library keeps ten threads of its own for that, and every answer is passed from
    /// one to the next: a third of a node's CPU in small rooms (docs/performance.md).
    /// </summary>
    public static void Apply(ConfigurationOptions options) => options.SocketManager = SocketManager.ThreadPool;
}
