using AspireChat.Contracts.Redis;
using AspireChat.PersistenceService.Writing;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// Carries one partition's log into PostgreSQL for as long as this replica owns it: takes over what others left, then reads what is new,
/// commits, and only then acknowledges. One loop; <see cref="Ring"/> is thread-safe.
/// </summary>
internal sealed class PartitionWorker(
    int partition,
    PartitionLog log,
    LogPersister persister,
    StepPacer pacer,
    IConnectionMultiplexer redis,
    IOptions<PersistenceOptions> options,
    ConsumingMetrics metrics,
    LogOutage outage,
    TimeProvider time,
    ILogger<PartitionWorker> logger)
{
    private readonly PersistenceOptions _options = options.Value;
    private readonly WakeUp _bell = new(time);

    private long _lastClaim;
    private volatile bool _claimAll = true;

    /// <summary>Look at the log now.</summary>
    /// <param name="claim">Also take over what other consumers hold, however lately they got it.</param>
    public void Ring(bool claim = false)
    {
        if (claim)
            _claimAll = true;
        _bell.Ring();
    }

    /// <summary>
    /// Works until <paramref name="stop"/>; a batch in hand is finished then, unless <paramref name="abort"/> comes first.
    /// </summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        var bell = RedisChannel.Literal(RedisChannels.LogBell(partition));
        void OnBell(RedisChannel channel, RedisValue value) => _bell.Ring();
        var subscribed = false;
        var busy = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // Who is behind has enough for a transaction of its own.
                if (!busy)
                    await pacer.WaitAsync();
                busy = false;
                if (!subscribed)
                {
                    await redis.GetSubscriber().SubscribeAsync(bell, OnBell);
                    subscribed = true;
                }
                busy = await StepAsync(stop, abort);
            }
            catch (RedisServerException e) when (e.Message.StartsWith("NOGROUP", StringComparison.Ordinal))
            {
                // Redis is new or emptied; whoever inspects the partition opens it.
                ConsumingMessages.NoGroup(logger, partition);
            }
            catch (Exception e) when (ServiceDefaults.RedisFaults.Is(e) || e is TimeoutException)
            {
                // The answer may have been lost on its way: what it carried is pending under this consumer's name.
                _claimAll = true;
                outage.Seen(e, partition);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested || abort.IsCancellationRequested)
            {
                break;
            }
            if (!busy)
                await WaitAsync(stop);
        }
        if (subscribed)
            await redis.GetSubscriber().UnsubscribeAsync(bell, OnBell, CommandFlags.FireAndForget);
        metrics.Forget(partition);
    }

    /// <summary>One batch. True when more is to be expected at once.</summary>
    private async Task<bool> StepAsync(CancellationToken stop, CancellationToken abort)
    {
        if (_claimAll || time.GetElapsedTime(_lastClaim) > _options.Lease)
            await ClaimAsync(stop, abort);
        var entries = await log.ReadNewAsync(partition, _options.BatchSize);
        if (entries.Count == 0)
            return false;
        pacer.Pay();
        await CommitAsync(entries, stop, abort);
        return entries.Count >= _options.BatchSize;
    }

    /// <summary>
    /// Everything pending when the partition was taken over or an answer was lost: the lease says that nobody else works on it. Otherwise
    /// only what a former owner read after its lease ran out and never finished.
    /// </summary>
    private async Task ClaimAsync(CancellationToken stop, CancellationToken abort)
    {
        var idle = _claimAll ? TimeSpan.Zero : _options.Lease * 2;
        RedisValue next = "0-0";
        do
        {
            (var entries, next) = await log.ClaimAsync(partition, idle, next, _options.BatchSize);
            if (entries.Count > 0)
            {
                ConsumingMessages.Claimed(logger, partition, entries.Count);
                metrics.Claimed(entries.Count);
                await CommitAsync(entries, stop, abort);
            }
        }
        while (next != "0-0");
        await log.ForgetConsumersAsync(partition, _options.Lease * 10);
        _claimAll = false;
        _lastClaim = time.GetTimestamp();
    }

    private async Task CommitAsync(List<LogEntry> entries, CancellationToken stop, CancellationToken abort)
    {
        var result = await persister.PersistAsync(partition, entries, advance: true, stop, abort);
        metrics.Buried(result.Rejected.Count);
        metrics.Left(partition, await log.CompleteAsync(partition, entries, result));
    }

    private async Task WaitAsync(CancellationToken stop)
    {
        try
        {
            await _bell.WaitAsync(_options.PollInterval, stop);
        }
        catch (OperationCanceledException)
        {
            // Stopping; the loop sees it.
        }
    }
}
