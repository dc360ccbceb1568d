using System.Collections.Concurrent;
using AspireChat.Contracts.Redis;
using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Partitions;

/// <summary>
/// Watches the partitions that this replica owns. One that is closed (Redis is new or was emptied) is opened; one whose Redis was restored
/// to an older state is closed at once, so that no seq is given out twice, and then opened anew. Works again at once when Redis comes back.
/// </summary>
internal sealed class PartitionSupervisor : BackgroundService
{
    private readonly IConnectionMultiplexer _redis;
    private readonly PartitionOwnership _ownership;
    private readonly PartitionTable _table;
    private readonly PartitionOpener _opener;
    private readonly MigrationService _migrations;
    private readonly PartitionMetrics _metrics;
    private readonly PersistenceOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeUp _wakeUp;

    /// <summary>What Redis had noted as committed at the last look, by partition: read before PostgreSQL is asked the next time.</summary>
    private readonly ConcurrentDictionary<int, LogPosition> _noted = new();

    public PartitionSupervisor(
        IConnectionMultiplexer redis,
        PartitionOwnership ownership,
        PartitionTable table,
        PartitionOpener opener,
        MigrationService migrations,
        PartitionMetrics metrics,
        IOptions<PersistenceOptions> options,
        TimeProvider time,
        ILogger<PartitionSupervisor> logger)
    {
        _redis = redis;
        _ownership = ownership;
        _table = table;
        _opener = opener;
        _migrations = migrations;
        _metrics = metrics;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _wakeUp = new WakeUp(time);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void OnRestored(object? sender, ConnectionFailedEventArgs e) => _wakeUp.Ring();
        await _migrations.Done.WaitAsync(stoppingToken);
        _redis.ConnectionRestored += OnRestored;
        _ownership.Changed += _wakeUp.Ring;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var again = _options.InspectInterval;
                try
                {
                    if (!await InspectAsync(stoppingToken))
                        again = TimeSpan.FromMilliseconds(50);
                }
                catch (Exception e) when (e is RedisException || DatabaseFaults.Is(e))
                {
                    PartitionMessages.InspectionFailed(_logger, e);
                }
                await _wakeUp.WaitAsync(again, stoppingToken);
            }
        }
        finally
        {
            _redis.ConnectionRestored -= OnRestored;
            _ownership.Changed -= _wakeUp.Ring;
        }
    }

    /// <summary>One look at all owned partitions. False when one is still closed.</summary>
    private async Task<bool> InspectAsync(CancellationToken cancellationToken)
    {
        var owned = _ownership.Owned.ToList();
        if (owned.Count == 0)
            return true;
        var database = _redis.GetDatabase();
        var known = await _table.ReadAsync(cancellationToken);
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
                    continue;
                await CloseAsync(database, partition, state.Epoch, fault);
            }
            _noted.TryRemove(partition, out _);
            closed++;
            if (!state.HasGroup)
                await CreateGroupAsync(database, partition);
            if (state.Drained && state.Epoch.Length == 0)
                ready.Add(partition);
            else
                _ownership.Ring(partition, claim: true);
        }
        if (ready.Count > 0)
            closed -= await _opener.OpenAsync(ready, cancellationToken);
        return closed == 0;
    }

    /// <summary>
    /// From here on nothing is accepted; what is in the log is still carried into PostgreSQL before the partition opens again.
    /// </summary>
    private async Task CloseAsync(IDatabase database, int partition, string epoch, string fault)
    {
        await database.ScriptEvaluateAsync(RedisScripts.Drop, [RedisKeys.Epoch(partition)], [epoch]);
        _metrics.Fenced();
        PartitionMessages.Fenced(_logger, partition, epoch, fault);
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
