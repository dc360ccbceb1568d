using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.PresenceService.State;

/// <summary>
/// Runs the presence scripts. Redis holds the state and the timers and this service keeps nothing in memory, so its replicas need not know
/// of each other. Each script is given the service's clock. Thread-safe; calls are pipelined.
/// </summary>
public sealed class PresenceRedis(IConnectionMultiplexer redis, TimeProvider time)
{
    private static readonly RedisKey[] Keys = [.. PresenceScripts.Keys.Select(key => (RedisKey)key)];

    /// <summary>
    /// A call fails at once while Redis is away: a replica repeats its report with newer state, and a caller gets 503 rather than silence.
    /// An answer may take two seconds, as long as a replica waits for its report. The pauses between attempts to reconnect do not grow: the
    /// few replicas of this service are no herd, and every second counts against the leases.
    /// </summary>
    public static void Configure(ConfigurationOptions options)
    {
        RedisDefaults.FailFast(options);
        options.AsyncTimeout = 2_000;
        options.ReconnectRetryPolicy = new LinearRetry(500);
    }

    public IDatabase Database => redis.GetDatabase();

    /// <summary>Unix milliseconds.</summary>
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Evaluates <paramref name="script"/>; the present is put before its arguments.</summary>
    /// <exception cref="Exception">Redis is away (<see cref="RedisFaults.IsAway"/>), or the script failed.</exception>
    public async Task<RedisResult> RunAsync(
        string script, long now, IEnumerable<RedisValue> arguments, CancellationToken cancellationToken) =>
        await Database.ScriptEvaluateAsync(script, Keys, [now, .. arguments]).WaitAsync(cancellationToken);
}
