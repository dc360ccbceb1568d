using System.Collections.Concurrent;
using AspireChat.ConnectionService.Node;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.ConnectionService.Subscriptions;

/// <summary>
/// The replica's connection for pub/sub, apart from that for commands: a burst of messages must not delay an append, and Redis drops a
/// subscriber that reads too slowly without touching the other. Each channel's messages come in order (one queue per channel) and are only
/// posted onwards. Thread-safe.
/// </summary>
internal sealed class PubSubConnection : IChannelSubscriber, IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly Lazy<Task<ConnectionMultiplexer>> _connection;
    private readonly ConcurrentDictionary<ChatChannel, ChannelMessageQueue> _queues = [];
    private readonly SubscriptionOptions _options;
    private readonly RecurringFault _late;
    private readonly TimeProvider _time;
    private readonly ILogger<PubSubConnection> _logger;

    public PubSubConnection(
        IConfiguration configuration,
        NodeIdentity node,
        IOptions<SubscriptionOptions> options,
        TimeProvider time,
        ILogger<PubSubConnection> logger)
    {
        _options = options.Value;
        _late = new RecurringFault(time);
        _time = time;
        _logger = logger;
        var connectionString = configuration.GetConnectionString("redis")
            ?? throw new InvalidOperationException("ConnectionStrings:redis is missing.");
        _connection = new(() => ConnectAsync(connectionString, node.Name));
    }

    /// <summary>Raised after the connection was lost and is back. What was published meanwhile is gone.</summary>
    public event Action? Restored;

    public event Action? MayHaveMissed;

    public async Task<bool> SubscribeAsync(ChatChannel channel, IChannelListener listener)
    {
        var queue = await TrySubscribeAsync(channel.Channel);
        if (queue is null)
        {
            if (_late.IsDue(out var count))
            {
                SubscriptionLog.SubscribeFailed(_logger, channel.Channel, count);
            }

            return false;
        }
        _queues[channel] = queue;
        queue.OnMessage(message => listener.Received(channel, (ReadOnlyMemory<byte>)message.Message));
        return true;
    }

    public async Task UnsubscribeAsync(ChatChannel channel)
    {
        if (_queues.TryRemove(channel, out var queue))
        {
            await GiveUpAsync(queue);
        }
    }

    /// <summary>For the probe, which finds out what the connection does not know: raises <see cref="MayHaveMissed"/>.</summary>
    public void TellMissed() => MayHaveMissed?.Invoke();

    /// <summary>Subscribes without a listener: for the probe. Null when not possible in time.</summary>
    public async Task<ChannelMessageQueue?> TrySubscribeAsync(string channel)
    {
        var started = _time.GetTimestamp();
        do
        {
            try
            {
                var connection = await _connection.Value;
                if (connection.IsConnected)
                {
                    var subscriber = connection.GetSubscriber();
                    var subscribing = subscriber.SubscribeAsync(RedisChannel.Literal(channel));
                    var queue = await subscribing.WaitAsync(_options.Patience, _time);
                    // The library answers at once when it is only able to subscribe later.
                    if (subscriber.IsConnected(queue.Channel))
                    {
                        return queue;
                    }

                    await GiveUpAsync(queue);
                }
            }
            catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
            {
                // Redis is away; the deadline decides.
            }
            await Task.Delay(RetryDelay, _time, CancellationToken.None);
        }
        while (_time.GetElapsedTime(started) < _options.Patience);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_connection.IsValueCreated)
        {
            return;
        }

        try
        {
            await (await _connection.Value).DisposeAsync();
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            // It never connected.
        }
    }

    private async Task GiveUpAsync(ChannelMessageQueue queue)
    {
        try
        {
            await queue.UnsubscribeAsync().WaitAsync(_options.Patience, _time);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            // Without a connection there is no subscription either; the library has forgotten the queue.
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(string connectionString, string node)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        RedisDefaults.Apply(options);
        options.ClientName = node + "-pubsub";
        options.AbortOnConnectFail = false;
        options.KeepAlive = 5;
        options.ReconnectRetryPolicy = new LinearRetry(200);
        var connection = await ConnectionMultiplexer.ConnectAsync(options);
        connection.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Subscription)
            {
                SubscriptionLog.Lost(_logger, failure.FailureType.ToString());
            }
        };
        connection.ConnectionRestored += (_, restored) =>
        {
            if (restored.ConnectionType != ConnectionType.Subscription)
            {
                return;
            }

            SubscriptionLog.Restored(_logger);
            MayHaveMissed?.Invoke();
            Restored?.Invoke();
        };
        return connection;
    }
}
