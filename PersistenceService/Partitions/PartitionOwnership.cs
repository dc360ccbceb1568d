using System.Collections.Concurrent;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Migrations;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Decides which partitions this replica works on: each living replica may hold a fair share (rounded up), and a lease in Redis gives each
/// partition one holder. A holder that stalls past its lease does no harm, since everything it may still do is idempotent; the lease only
/// keeps two replicas from doing the same work.
/// </summary>
internal sealed class PartitionOwnership(
    IConnectionMultiplexer redis,
    IServiceProvider services,
    MigrationService migrations,
    ReplicaName replica,
    IOptions<PersistenceOptions> options,
    TimeProvider time,
    ILogger<PartitionOwnership> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<int, Running> _owned = new();
    private readonly RecurringFault _outage = new(time);

    /// <summary>A partition was taken.</summary>
    public event Action? Changed;

    /// <summary>The partitions that this replica works on now.</summary>
    public IEnumerable<int> Owned => _owned.Keys;

    /// <summary>Wakes the worker of an owned partition; see <see cref="PartitionWorker.Ring"/>.</summary>
    public void Ring(int partition, bool claim)
    {
        if (_owned.TryGetValue(partition, out var running))
        {
            running.Worker.Ring(claim);
        }
    }

    /// <summary>Tells the worker of an owned partition what its log looks like; see <see cref="PartitionWorker.Seen"/>.</summary>
    public void Seen(int partition, bool behind, bool held)
    {
        if (_owned.TryGetValue(partition, out var running))
        {
            running.Worker.Seen(behind, held);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await migrations.Done.WaitAsync(stoppingToken);
        try
        {
            while (true)
            {
                try
                {
                    await TickAsync();
                }
                catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
                {
                    if (_outage.IsDue(out var count))
                    {
                        PartitionMessages.LeasesUnreachable(logger, e, count);
                    }
                }
                await SharedBeat.WaitAsync(options.Value.Lease / 5, time, stoppingToken);
            }
        }
        finally
        {
            await ReleaseAllAsync();
        }
    }

    private async Task TickAsync()
    {
        var replicas = await CountReplicasAsync();
        var quota = (LogPartitions.Count + replicas - 1) / replicas;
        // Pipelined: all leases leave in one write.
        var leases = _owned.Where(owned => !owned.Value.Work.IsCompleted)
            .Select(owned => (Partition: owned.Key, Kept: TryLeaseAsync(owned.Key))).ToList();
        await Task.WhenAll(leases.Select(lease => lease.Kept));
        foreach (var (partition, kept) in leases)
        {
            if (!await kept)
            {
                PartitionMessages.LeaseLost(logger, partition);
                _ = StopAsync(partition);
            }
        }
        foreach (var (partition, running) in _owned)
        {
            // Only a bug ends a worker by itself. The next owner of the partition begins with what it left.
            if (running.Work.IsCompleted)
            {
                await StopAsync(partition);
                await DropAsync(partition);
            }
        }
        foreach (var partition in _owned.Keys.Order().Skip(quota))
        {
            await StopAsync(partition);
            await DropAsync(partition);
        }
        var taken = false;
        // Replicas begin at different places, so that they do not all try for the same partition.
        var first = (int)((uint)replica.Value.GetHashCode(StringComparison.Ordinal) % LogPartitions.Count);
        for (var i = 0; i < LogPartitions.Count && _owned.Count < quota; i++)
        {
            var partition = (first + i) % LogPartitions.Count;
            if (!_owned.ContainsKey(partition) && await TryLeaseAsync(partition))
            {
                Start(partition);
                taken = true;
            }
        }
        if (taken)
        {
            Changed?.Invoke();
        }
    }

    private async Task<int> CountReplicasAsync()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return (int)await redis.GetDatabase().ScriptEvaluateAsync(
            RedisScripts.Persisters, [RedisKeys.Persisters], [replica.Value, now, now + (long)options.Value.Lease.TotalMilliseconds]);
    }

    private async Task<bool> TryLeaseAsync(int partition) => 1 == (int)await redis.GetDatabase().ScriptEvaluateAsync(
        RedisScripts.Lease, [RedisKeys.Owner(partition)], [replica.Value, (long)options.Value.Lease.TotalMilliseconds]);

    private Task DropAsync(int partition) =>
        redis.GetDatabase().ScriptEvaluateAsync(RedisScripts.Drop, [RedisKeys.Owner(partition)], [replica.Value]);

    private void Start(int partition)
    {
        var worker = ActivatorUtilities.CreateInstance<PartitionWorker>(services, partition);
        var stop = new CancellationTokenSource();
        var abort = new CancellationTokenSource();
        _owned[partition] = new Running(worker, worker.RunAsync(stop.Token, abort.Token), stop, abort);
        PartitionMessages.Taken(logger, partition);
    }

    /// <summary>Lets the worker finish its batch within <see cref="PersistenceOptions.StopLimit"/>.</summary>
    private async Task StopAsync(int partition)
    {
        if (!_owned.TryRemove(partition, out var running))
        {
            return;
        }

        await running.Stop.CancelAsync();
        using (running.Stop)
        using (running.Abort)
        using (time.CreateTimer(_ => running.Abort.Cancel(), null, options.Value.StopLimit, Timeout.InfiniteTimeSpan))
        {
            try
            {
                await running.Work;
            }
            catch (Exception e)
            {
                PartitionMessages.WorkerFailed(logger, e, partition);
            }
        }
        PartitionMessages.Given(logger, partition);
    }

    private async Task ReleaseAllAsync()
    {
        var partitions = _owned.Keys.ToArray();
        await Task.WhenAll(partitions.Select(StopAsync));
        try
        {
            await Task.WhenAll(partitions.Select(DropAsync));
            await redis.GetDatabase().SortedSetRemoveAsync(RedisKeys.Persisters, replica.Value);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || e is ObjectDisposedException)
        {
            // The leases run out by themselves.
            if (_outage.IsDue(out var count))
            {
                PartitionMessages.LeasesUnreachable(logger, e, count);
            }
        }
    }

    private sealed record Running(PartitionWorker Worker, Task Work, CancellationTokenSource Stop, CancellationTokenSource Abort);
}

internal static class PartitionExtensions
{
    /// <summary>Sharing the partitions between replicas, opening and fencing them.</summary>
    public static IHostApplicationBuilder AddPartitions(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PartitionMetrics>();
        builder.Services.AddSingleton<PartitionTable>();
        builder.Services.AddSingleton<RoomSeeder>();
        builder.Services.AddSingleton<RedisSeeder>();
        builder.Services.AddSingleton<PartitionOpener>();
        builder.Services.AddSingleton<PartitionOwnership>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PartitionOwnership>());
        builder.Services.AddHostedService<PartitionSupervisor>();
        builder.Services.AddHostedService<RoomAdoption>();
        return builder;
    }
}
