using StackExchange.Redis;

namespace AspireChat.ServiceDefaults;

/// <summary>What all Redis connections of the services have in common.</summary>
public static class RedisDefaults
{
    /// <summary>
    /// Answers are read on the thread pool. By default the library keeps ten threads of its own for that, and every answer is passed from
    /// one to the next: a third of a node's CPU in small rooms (docs/performance-history.md).
    /// </summary>
    public static void Apply(ConfigurationOptions options) => options.SocketManager = SocketManager.ThreadPool;

    /// <summary>
    /// For a service that tries again anyway: a call fails at once while Redis is away. Queued, each call takes 5 s to fail, and a service
    /// that stops together with its Redis would be killed meanwhile.
    /// </summary>
    public static void ApplyFailingFast(ConfigurationOptions options)
    {
        Apply(options);
        options.BacklogPolicy = BacklogPolicy.FailFast;
    }
}
