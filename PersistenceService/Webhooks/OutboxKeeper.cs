using AspireChat.PersistenceService.Background;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Partitions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// Keeps the outbox bounded: removes dead letters that are too old, what no webhook is there for any more, and the oldest of what is more than
/// <see cref="WebhookOptions.MostWaiting"/>. Measures what waits. The owner of the first partition does it, every ten seconds.
/// </summary>
internal sealed class OutboxKeeper(
    NpgsqlDataSource database,
    PartitionOwnership ownership,
    WebhookMetrics metrics,
    IOptions<WebhookOptions> options,
    TimeProvider time,
    ILogger<OutboxKeeper> logger) : BackgroundService
{
    private const string OldSql = "DELETE FROM webhook_batches WHERE dead_at < $1";

    private const string OrphansSql = """
        WITH queued AS (DELETE FROM webhook_outbox WHERE webhook <> ALL ($1) AND queued_at < $2 RETURNING 1::bigint AS events),
        fixed AS (
            DELETE FROM webhook_batches WHERE webhook <> ALL ($1) AND dead_at IS NULL AND queued_at < $2 RETURNING cardinality(seqs)::bigint AS events)
        SELECT COALESCE(sum(events), 0)::bigint FROM (SELECT events FROM queued UNION ALL SELECT events FROM fixed) gone
        """;

    private const string WaitingSql = """
        SELECT webhook, sum(events)::bigint, min(queued_at), dead FROM (
            SELECT webhook, 1 AS events, queued_at, false AS dead FROM webhook_outbox
            UNION ALL SELECT webhook, cardinality(seqs), queued_at, dead_at IS NOT NULL FROM webhook_batches) waiting
        GROUP BY webhook, dead
        """;

    // Dead letters go first; a batch has a hundred events at most.
    private const string TrimSql = """
        WITH dead AS (
            DELETE FROM webhook_batches WHERE id IN (
                SELECT id FROM webhook_batches WHERE dead_at IS NOT NULL ORDER BY dead_at LIMIT 1 + $1 / 100) RETURNING cardinality(seqs)::bigint AS events),
        queued AS (
            DELETE FROM webhook_outbox WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM webhook_outbox ORDER BY queued_at
                LIMIT GREATEST(0, $1 - COALESCE((SELECT sum(events) FROM dead), 0)))) RETURNING 1::bigint AS events)
        SELECT COALESCE(sum(events), 0)::bigint FROM (SELECT events FROM dead UNION ALL SELECT events FROM queued) gone
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly short[] _webhooks = [.. options.Value.Targets.Keys.Select(number => (short)number)];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new RecurringLook(Interval, time, (fault, count) => WebhookLog.DatabaseAway(logger, fault, count)).RunAsync(
            async token =>
            {
                if (ownership.Owned.Contains(0))
                {
                    await LookAsync(token);
                }

                return false;
            },
            stoppingToken);

    /// <summary>One look; the keeper's loop calls it.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using (var old = database.CreateCommand(OldSql))
        {
            old.Parameters.Add(new() { Value = (now - options.Value.KeepDeadLetters).UtcDateTime });
            await old.ExecuteNonQueryAsync(cancellationToken);
        }

        await using (var orphans = database.CreateCommand(OrphansSql))
        {
            orphans.Parameters.Add(new() { Value = _webhooks });
            orphans.Parameters.Add(new() { Value = (now - options.Value.RetryFor).UtcDateTime });
            Dropped((long)(await orphans.ExecuteScalarAsync(cancellationToken))!);
        }

        var (all, backlogs) = (0L, _webhooks.ToDictionary(number => (int)number, _ => new WebhookBacklog(0, TimeSpan.Zero)));
        await using (var waiting = database.CreateCommand(WaitingSql))
        await using (var reader = await waiting.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                all += reader.GetInt64(1);
                if (!reader.GetBoolean(3))
                {
                    backlogs[reader.GetInt16(0)] = new WebhookBacklog(reader.GetInt64(1), now - new DateTimeOffset(reader.GetDateTime(2)));
                }
            }
        }

        metrics.Waiting(backlogs);
        if (all > options.Value.MostWaiting)
        {
            await using var trim = database.CreateCommand(TrimSql);
            trim.Parameters.Add(new() { Value = all - options.Value.MostWaiting });
            Dropped((long)(await trim.ExecuteScalarAsync(cancellationToken))!);
        }
    }

    private void Dropped(long events)
    {
        if (events > 0)
        {
            metrics.Dropped(events);
            WebhookLog.Dropped(logger, events);
        }
    }
}
