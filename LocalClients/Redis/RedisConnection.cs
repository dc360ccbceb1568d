using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace AspireChat.LocalClients.Redis;

/// <summary>Owns one multiplexer: closed with the service provider, counted while it lives.</summary>
internal sealed class RedisConnection(string name, ConnectionMultiplexer multiplexer, IMeterFactory meters) : IAsyncDisposable
{
    private readonly RedisMetrics _metrics = new(name, multiplexer, meters);

    public IConnectionMultiplexer Multiplexer => multiplexer;

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await multiplexer.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>
/// The multiplexer's own counters as metrics. Commands are not traced one by one: the instrumentation package for that is not everywhere to
/// be had, and on the message path a span per command would cost more than the command.
/// </summary>
internal sealed class RedisMetrics : IDisposable
{
    public const string MeterName = "AspireChat.LocalClients";

    private readonly Meter _meter;
    private long _failures;

    public RedisMetrics(string name, ConnectionMultiplexer multiplexer, IMeterFactory meters)
    {
        KeyValuePair<string, object?>[] tags = [new("db.client.connection.pool.name", name)];
        _meter = meters.Create(new MeterOptions(MeterName) { Tags = tags });
        multiplexer.ConnectionFailed += (_, _) => Interlocked.Increment(ref _failures);
        _meter.CreateObservableCounter(
            "aspirechat.redis.operations", () => multiplexer.OperationCount, "{operation}", "Commands sent to Redis.");
        _meter.CreateObservableUpDownCounter(
            "aspirechat.redis.operations.outstanding", () => multiplexer.GetCounters().TotalOutstanding, "{operation}",
                "Commands sent and not answered.");
        _meter.CreateObservableCounter(
            "aspirechat.redis.connection.failures", () => Interlocked.Read(ref _failures), "{failure}",
                "Connections to Redis that broke or failed.");
        _meter.CreateObservableGauge(
            "aspirechat.redis.connected", () => multiplexer.IsConnected ? 1 : 0, "{connection}", "1 while Redis is connected.");
    }

    public void Dispose() => _meter.Dispose();
}

/// <summary>Healthy when every server of the connection answers a PING.</summary>
internal sealed class RedisHealthCheck(Func<IConnectionMultiplexer> multiplexer) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            foreach (var endpoint in multiplexer().GetEndPoints(configuredOnly: true))
                await multiplexer().GetServer(endpoint).PingAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is RedisException or TimeoutException or InvalidOperationException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, e.Message, e);
        }
    }
}

/// <summary>Connects while the service starts, so that the first request finds a connection.</summary>
internal sealed class RedisActivation(Func<RedisConnection> connection) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = connection();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
