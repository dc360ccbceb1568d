using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace AspireChat.RedisLog;

/// <summary>What all Redis connections of the services have in common.</summary>
public static class RedisDefaults
{
    /// <summary>Registers the <see cref="IConnectionMultiplexer"/> of <c>ConnectionStrings:redis</c>, with its health check.</summary>
    /// <param name="configure">What this service wants beyond <see cref="Apply"/>.</param>
    public static void AddRedis(this IHostApplicationBuilder builder, Action<ConfigurationOptions>? configure = null) =>
        // Nearly all commands are polling, so a span for each would bury the rest. A message's own trace shows how long it waits for Redis.
        builder.AddRedisClient("redis", settings => settings.DisableTracing = true, options =>
        {
            Apply(options);
            configure?.Invoke(options);
        });

    /// <summary>
    /// Reads answers on the thread pool. By default the library keeps ten threads of its own for that and passes every answer from one
    /// thread to another, which was a third of a node's CPU in small rooms (docs/performance.md).
    /// </summary>
    public static void Apply(ConfigurationOptions options) => options.SocketManager = SocketManager.ThreadPool;

    /// <summary>
    /// For a service that tries again anyway: a call fails at once while Redis is away. A queued call takes 5 s to fail, and a service that
    /// stops together with its Redis would be killed before that.
    /// </summary>
    public static void FailFast(ConfigurationOptions options) => options.BacklogPolicy = BacklogPolicy.FailFast;
}
