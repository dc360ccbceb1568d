using System.Collections.Concurrent;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Watches the partitions that this replica owns. It opens a closed one: Redis is new or was emptied. It closes one whose Redis was
/// restored to an older state, so that no seq is given out twice, and then opens it anew. It looks again at once when Redis comes back.
/// </summary>
internal sealed class PartitionSupervisor(
    IConnectionMultiplexer redis,
    PartitionOwnership ownership,
    PartitionTable table,
    PartitionOpener opener,
    MigrationService migrations,
    PartitionMetrics metrics,
    IOptions<PersistenceOptions> options,
    TimeProvider time,
    ILogger<PartitionSupervisor> logger) : BackgroundService
{
    private readonly Doorbell _bell = new(time);
    private readonly RecurringFault _outage = new(time);

    /// <summary>What Redis had noted as committed at the last look, by partition: read before PostgreSQL is asked the next time.</summary>
    private readonly ConcurrentDictionary<int, LogPosition> _noted = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void OnRestored(object? sender, ConnectionFailedEventArgs e) => _bell.Ring();
        await migrations.Done.WaitAsync(stoppingToken);
        redis.ConnectionRestored += OnRestored;
        ownership.Changed += _bell.Ring;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var again = options.Value.InspectInterval;
                try
                {
                    if (!await InspectAsync(stoppingToken))
                    {
                        again = TimeSpan.FromMilliseconds(50);
                    }
                }
                catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
                {
                    if (_outage.IsDue(out var count))
                    {
                        PartitionMessages.InspectionFailed(logger, e, count);
                    }
                }
                await _bell.WaitAsync(again, stoppingToken);
            }
        }
        finally
        {
            redis.ConnectionRestored -= OnRestored;
            ownership.Changed -= _bell.Ring;
        }
    }

    /// <summary>One look at all owned partitions. False when one is still closed.</summary>
    private async Task<bool> InspectAsync(CancellationToken cancellationToken)
    {
        var owned = ownership.Owned.ToList();
        if (owned.Count == 0)
        {
            return true;
        }

        var database = redis.GetDatabase();
        var known = await table.ReadAsync(cancellationToken);
        var states = await Task.WhenAll(owned.Select(partition =>
            PartitionState.ReadAsync(database, partition, known.TryGetValue(partition, out var k) ? k.Committed : LogPosition.None)));
        var ready = new List<int>();
        var closed = 0;
        foreach (var (partition, state) in owned.Zip(states))
        {
            if (state.Epoch.Length > 0)
            {
                var before = _noted.GetValueOrDefault(partition, LogPosition.None);
                _noted[partition] = state.Committed;
                if (state.FaultAgainst(known.TryGetValue(partition, out var k) ? k : null, before) is not { } fault)
                {
                    continue;
                }

                await CloseAsync(database, partition, state.Epoch, fault);
            }
            _noted.TryRemove(partition, out _);
            closed++;
            if (!state.HasGroup)
            {
                await CreateGroupAsync(database, partition);
            }

            if (state.Drained && state.Epoch.Length == 0)
            {
                ready.Add(partition);
            }
            else
            {
                ownership.Ring(partition, claim: true);
            }
        }
        if (ready.Count > 0)
        {
            closed -= await opener.OpenAsync(ready, cancellationToken);
        }

        return closed == 0;
    }

    /// <summary>
    /// From here on nothing is accepted. What is in the log is carried into PostgreSQL before the partition opens again.
    /// </summary>
    private async Task CloseAsync(IDatabase database, int partition, string epoch, string fault)
    {
        await database.ScriptEvaluateAsync(RedisScripts.Drop, [RedisKeys.Epoch(partition)], [epoch]);
        metrics.Fenced();
        PartitionMessages.Fenced(logger, partition, epoch, fault);
    }

    private static async Task CreateGroupAsync(IDatabase database, int partition)
    {
        try
        {
            await database.StreamCreateConsumerGroupAsync(RedisKeys.Log(partition), RedisKeys.PersistGroup, "0-0", createStream: true);
        }
        catch (RedisServerException e) when (e.Message.StartsWith("BUSYGROUP", StringComparison.Ordinal))
        {
            // It exists after all.
        }
    }
}
