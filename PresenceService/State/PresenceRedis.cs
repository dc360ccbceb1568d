using AspireChat.Contracts.Presence;
using AspireChat.ServiceDefaults;
using StackExchange.Redis;

namespace AspireChat.PresenceService.State;

/// <summary>
/// Runs the presence scripts. Nothing is kept in memory: Redis holds the state and the timers, so replicas of this service need not know
/// of each other. The clock is the service's, handed to each script. Safe for concurrent use; calls are pipelined.
/// </summary>
public sealed class PresenceRedis(IConnectionMultiplexer redis, TimeProvider time)
{
    private static readonly RedisKey[] Keys = [.. PresenceScripts.Keys.Select(key => (RedisKey)key)];

    /// <summary>
    /// Fails at once while Redis is away instead of queueing what nobody will wait for: reports are repeated with newer state, and a caller
    /// gets 503 rather than silence. Two seconds for an answer, as long as a replica waits for its report. Reconnects without the usual
    /// growing pauses: the few replicas of this service are no herd, and every second counts against the leases.
    /// </summary>
    public static void Configure(ConfigurationOptions options)
    {
        RedisDefaults.ApplyFailingFast(options);
        options.AsyncTimeout = 2_000;
        options.ReconnectRetryPolicy = new LinearRetry(500);
    }

    public IDatabase Database => redis.GetDatabase();

    /// <summary>Unix milliseconds.</summary>
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Evaluates <paramref name="script"/>; the present is put before its arguments.</summary>
    /// <exception cref="RedisException">Redis is away.</exception>
    public async Task<RedisResult> RunAsync(
        string script, long now, IEnumerable<RedisValue> arguments, CancellationToken cancellationToken) =>
        await Database.ScriptEvaluateAsync(script, Keys, [now, .. arguments]).WaitAsync(cancellationToken);
}
