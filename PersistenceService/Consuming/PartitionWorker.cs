using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Consuming;

/// <summary>
/// Carries one partition's log into PostgreSQL for as long as this replica owns it: takes over what others left, then reads what is new,
/// commits, and acknowledges after the commit. It sleeps until the bell rings, and looks again by itself only while partitions share beats.
/// PartitionSupervisor finds what a lost bell left in the log. One loop; <see cref="Ring"/> and <see cref="Seen"/> are thread-safe.
/// </summary>
internal sealed partial class PartitionWorker(
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
    private readonly Doorbell _bell = new(time);

    private long _lastClaim;
    private volatile bool _claimAll = true;
    private volatile bool _othersHold;

    /// <summary>The last look found entries, and partitions share beats: the next beat is a look, without a bell.</summary>
    private bool _awake;

    /// <summary>Look at the log now.</summary>
    /// <param name="claim">Also take over what other consumers hold, however lately they got it.</param>
    public void Ring(bool claim = false)
    {
        if (claim)
        {
            _claimAll = true;
        }

        _bell.Ring();
    }

    /// <summary>What the group looked like from outside. Wakes the worker when there is something for it.</summary>
    /// <param name="behind">The log has entries that were not delivered.</param>
    /// <param name="held">Entries are not acknowledged, or other consumers are there.</param>
    public void Seen(bool behind, bool held)
    {
        _othersHold = held;
        if (behind || held)
        {
            _bell.Ring();
        }
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
                // A partition that is behind has enough for a transaction of its own.
                if (!busy)
                {
                    await pacer.WaitAsync();
                }

                busy = false;
                // Every way out but a look that found something leads to the bell.
                var wasAwake = _awake;
                _awake = false;
                if (!subscribed)
                {
                    await redis.GetSubscriber().SubscribeAsync(bell, OnBell);
                    subscribed = true;
                }
                busy = await StepAsync(wasAwake, stop, abort);
            }
            catch (RedisServerException e) when (e.Message.StartsWith("NOGROUP", StringComparison.Ordinal))
            {
                // Redis is new or was emptied. PartitionSupervisor will open the partition.
                NoGroup(logger, partition);
            }
            catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
            {
                // The answer may have been lost. The entries in it are then pending under this consumer's name.
                _claimAll = true;
                outage.Seen(e, partition);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested || abort.IsCancellationRequested)
            {
                break;
            }
            if (!busy && !_awake)
            {
                await WaitAsync(stop);
            }
        }
        if (subscribed)
        {
            await redis.GetSubscriber().UnsubscribeAsync(bell, OnBell, CommandFlags.FireAndForget);
        }

        metrics.Forget(partition);
    }

    /// <summary>One batch. True when more is to be expected at once.</summary>
    /// <param name="wasAwake">The bell has not been answered yet: what came since the last look did not ring.</param>
    private async Task<bool> StepAsync(bool wasAwake, CancellationToken stop, CancellationToken abort)
    {
        if (_claimAll || (_othersHold && time.GetElapsedTime(_lastClaim) > _options.Lease))
        {
            await ClaimAsync(stop, abort);
        }

        var entries = await log.ReadNewAsync(partition, _options.BatchSize, answersBell: !wasAwake);
        if (entries.Count == 0 && wasAwake)
        {
            entries = await log.ReadNewAsync(partition, _options.BatchSize);
        }

        if (entries.Count == 0)
        {
            return false;
        }

        pacer.Pay();
        await CommitAsync(entries, stop, abort);
        _awake = pacer.IsShared;
        return PartitionLog.IsFull(entries, _options.BatchSize);
    }

    /// <summary>
    /// Takes over everything pending when the partition was just acquired or an answer was lost: the lease says that no other replica works
    /// on it. Otherwise takes over only what a former owner read after its lease had run out, and never finished.
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
                Claimed(logger, partition, entries.Count);
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
            await _bell.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // Stopping; the loop sees it.
        }
    }

    [LoggerMessage(LogEvents.Persistence + 20, LogLevel.Debug, "Partition {Partition} has no log to read yet")]
    private static partial void NoGroup(ILogger logger, int partition);

    [LoggerMessage(LogEvents.Persistence + 22, LogLevel.Information, "Took over {Count} unfinished entries of partition {Partition}")]
    private static partial void Claimed(ILogger logger, int partition, int count);
}

/// <summary>Reports an outage of Redis once for all partitions, because it concerns all of them. Thread-safe.</summary>
internal sealed partial class LogOutage(TimeProvider time, ILogger<LogOutage> logger)
{
    private readonly RecurringFault _fault = new(time);

    /// <summary>A partition could not reach its log.</summary>
    public void Seen(Exception e, int partition)
    {
        if (_fault.IsDue(out var count))
        {
            RedisFailed(logger, e, partition, count);
        }
    }

    [LoggerMessage(LogEvents.Persistence + 21, LogLevel.Warning,
        "The log cannot be reached, last by partition {Partition}; trying again ({Count} failures since the last such line)")]
    private static partial void RedisFailed(ILogger logger, Exception exception, int partition, long count);
}

internal static class ConsumingExtensions
{
    /// <summary>Reading the partition logs.</summary>
    public static IHostApplicationBuilder AddConsuming(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(ReplicaName.New());
        builder.Services.AddSingleton<PartitionLog>();
        builder.Services.AddSingleton<ConsumingMetrics>();
        builder.Services.AddSingleton<StepPacer>();
        builder.Services.AddSingleton<LogOutage>();
        return builder;
    }
}
