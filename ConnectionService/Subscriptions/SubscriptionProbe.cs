using System.Diagnostics.Metrics;
using AspireChat.ConnectionService.Node;
using AspireChat.RedisLog;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Subscriptions;

/// <summary>
/// Proves that pub/sub works from end to end: the replica publishes to its own channel and expects to hear it. Without that it is not
/// ready; when it hears itself again after a silence, all conversations are checked for what was missed.
/// </summary>
internal sealed class SubscriptionProbe : BackgroundService, IHealthCheck
{
    private readonly IConnectionMultiplexer _redis;
    private readonly PubSubConnection _connection;
    private readonly SubscriptionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SubscriptionProbe> _logger;
    private readonly string _channel;
    private readonly Histogram<double> _delay;
    private long _heardAt;
    private long _sent;
    private long _sentAt;
    private volatile bool _silent = true;
    private volatile bool _checkAgain;

    public SubscriptionProbe(
        IConnectionMultiplexer redis,
        PubSubConnection connection,
        IMeterFactory meters,
        NodeIdentity node,
        IOptions<SubscriptionOptions> options,
        TimeProvider time,
        ILogger<SubscriptionProbe> logger)
    {
        _redis = redis;
        _connection = connection;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _channel = RedisChannels.Node(node.Name);
        _delay = meters.Create(ConnectionTelemetry.Name).CreateHistogram<double>("aspirechat.subscription.delay", "s", "From publishing a probe to hearing it");
        _connection.Restored += () => _checkAgain = true;
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var heard = Volatile.Read(ref _heardAt);
        return Task.FromResult(heard != 0 && _time.GetElapsedTime(heard) < _options.ProbeTimeout
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("messages published in Redis do not arrive"));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ChannelMessageQueue? queue = null;
        try
        {
            while (true)
            {
                queue ??= await ListenAsync();
                if (queue is not null)
                {
                    await SendAsync();
                }

                await SharedBeat.WaitAsync(_options.ProbeInterval, _time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private async Task<ChannelMessageQueue?> ListenAsync()
    {
        var queue = await _connection.TrySubscribeAsync(_channel);
        queue?.OnMessage(message =>
        {
            if (PubSubMessage.TryRead(message.Message, out var read) && read is PubSubMessage.Probe probe)
            {
                Heard(probe.Number);
            }
        });
        return queue;
    }

    private async Task SendAsync()
    {
        var heard = Volatile.Read(ref _heardAt);
        if (!_silent && _time.GetElapsedTime(heard) > 2 * _options.ProbeInterval)
        {
            _silent = true;
            SubscriptionLog.ProbeLate(_logger, _time.GetElapsedTime(heard).TotalSeconds);
        }
        try
        {
            Volatile.Write(ref _sentAt, _time.GetTimestamp());
            await _redis.GetSubscriber().PublishAsync(RedisChannel.Literal(_channel),
                new PubSubMessage.Probe(Interlocked.Increment(ref _sent)).Encode())
                .WaitAsync(_options.ProbeInterval, _time);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            SubscriptionLog.ProbeNotSent(_logger, e.Message);
        }
    }

    private void Heard(long number)
    {
        if (number == Volatile.Read(ref _sent))
        {
            _delay.Record(_time.GetElapsedTime(Volatile.Read(ref _sentAt)).TotalSeconds);
        }

        Volatile.Write(ref _heardAt, _time.GetTimestamp());
        if (!_silent && !_checkAgain)
        {
            return;
        }
        // After a reconnect the library subscribes channel by channel: only now is it certain that this one is back, and a second look
        // finds what was published between the first look and the subscription.
        _silent = _checkAgain = false;
        _connection.TellMissed();
    }
}
