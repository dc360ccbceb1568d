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
    /// <summary>Looks at Redis alone between two looks at both servers, while Redis stays as it was.</summary>
    private const int QuietLooks = 4;

    private readonly Doorbell _bell = new(time);
    private readonly RecurringFault _outage = new(time);

    /// <summary>What the last look at both servers found, when all was well.</summary>
    private Dictionary<int, (PartitionState State, LogPosition Known)> _settled = [];

    private int _quietLooks;

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
                await _bell.WaitAsync(SharedBeat.Next(again, time), stoppingToken);
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
        if (_quietLooks > 0 && await IsSettledAsync(database, owned))
        {
            _quietLooks--;
            return true;
        }

        var known = await table.ReadAsync(cancellationToken);
        var states = await Task.WhenAll(owned.Select(partition =>
            PartitionState.ReadAsync(database, partition, known.TryGetValue(partition, out var k) ? k.Committed : LogPosition.None)));
        var isOpen = await JudgeAsync(database, owned, known, states, cancellationToken);
        var settled = owned.Zip(states).ToDictionary(
            pair => pair.First, pair => (pair.Second, known.TryGetValue(pair.First, out var k) ? k.Committed : LogPosition.None));
        var isQuiet = isOpen && settled.Count == _settled.Count
            && settled.All(pair => _settled.TryGetValue(pair.Key, out var before) && before == pair.Value && pair.Value.Item1.Drained);
        _quietLooks = isQuiet ? QuietLooks : 0;
        _settled = settled;
        return isOpen;
    }

    /// <summary>
    /// Redis is as it was when both servers were last looked at, so PostgreSQL need not be asked. A busy system is never settled, and each
    /// look is at both.
    /// </summary>
    private async Task<bool> IsSettledAsync(IDatabase database, List<int> owned)
    {
        if (owned.Count != _settled.Count || !owned.TrueForAll(_settled.ContainsKey))
        {
            return false;
        }

        var states = await Task.WhenAll(owned.Select(partition => PartitionState.ReadAsync(database, partition, _settled[partition].Known)));
        return owned.Zip(states).All(pair => pair.Second == _settled[pair.First].State);
    }

    private async Task<bool> JudgeAsync(
        IDatabase database, List<int> owned, IReadOnlyDictionary<int, KnownPartition> known, PartitionState[] states,
        CancellationToken cancellationToken)
    {
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
                    ownership.Seen(partition, state.Behind, state.Held);
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
