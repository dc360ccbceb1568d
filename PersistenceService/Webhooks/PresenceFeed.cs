using System.Text.Json;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.Background;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Partitions;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// Carries changes of presence from their stream in Redis into the outbox: all in one lane. The place in the stream is written in the same
/// transaction, so each change is told once; those that Redis loses are not told, as presence is soft. Only the owner of the lane's partition
/// reads, twice a second.
/// </summary>
internal sealed class PresenceFeed(
    NpgsqlDataSource database,
    IConnectionMultiplexer redis,
    PartitionOwnership ownership,
    OutboxBell bell,
    IOptions<WebhookOptions> options,
    TimeProvider time,
    ILogger<PresenceFeed> logger) : BackgroundService
{
    public const string Lane = "presence";

    private const int Most = 1_000;

    private const string PositionSql = "SELECT position FROM webhook_presence";

    // Another replica that has read as far meanwhile, or further, wins.
    private const string MoveSql = """
        WITH moved AS (
            INSERT INTO webhook_presence AS p (position) VALUES ($1)
            ON CONFLICT (one) DO UPDATE SET position = excluded.position WHERE p.position = $2
            RETURNING true)
        INSERT INTO webhook_outbox (webhook, partition, lane, position, seq, kind, at, queued_at, detail)
        SELECT b.webhook, $3, $4, b.position, 0, b.kind, b.at, $5, b.detail
        FROM unnest($6, $7, $8, $9, $10) AS b (webhook, position, kind, at, detail) WHERE EXISTS (SELECT FROM moved)
        ON CONFLICT DO NOTHING
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>While nobody reads for this long, nothing is written into the stream any more.</summary>
    private static readonly TimeSpan Watching = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Wants(WebhookKind.UserOnline) && !options.Value.Wants(WebhookKind.UserOffline))
        {
            return;
        }

        await new RecurringLook(Interval, time, (fault, count) => WebhookLog.RedisAway(logger, fault, count)).RunAsync(
            async token => ownership.Owned.Contains(LogPartitions.Of(Lane)) && await ReadAsync(token) == Most, stoppingToken);
    }

    /// <summary>Returns how many there were.</summary>
    private async Task<int> ReadAsync(CancellationToken cancellationToken)
    {
        var asked = redis.GetDatabase();
        await asked.StringSetAsync(RedisKeys.PresenceWatched, "1", Watching);
        await using var question = database.CreateCommand(PositionSql);
        var position = await question.ExecuteScalarAsync(cancellationToken) as string;
        var entries = await asked.StreamRangeAsync(RedisKeys.PresenceChanges, position is null ? "-" : $"({position}", "+", Most);
        if (entries.Length == 0)
        {
            return 0;
        }

        var rows = entries.SelectMany(entry => RowsOf(entry)).ToList();
        await using var command = database.CreateCommand(MoveSql);
        command.Parameters.Add(new() { Value = entries[^1].Id.ToString() });
        command.Parameters.Add(new() { Value = position ?? "" });
        command.Parameters.Add(new() { Value = (short)LogPartitions.Of(Lane) });
        command.Parameters.Add(new() { Value = Lane });
        command.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Webhook);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Position.Packed);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => (short)row.Kind);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows,
            row => DateTimeOffset.FromUnixTimeMilliseconds(row.Position.Milliseconds).UtcDateTime);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Detail);
        await command.ExecuteNonQueryAsync(cancellationToken);
        foreach (var kind in rows.Select(row => row.Kind).Distinct())
        {
            bell.Ring(Lane, kind);
        }

        return entries.Length;
    }

    private IEnumerable<Row> RowsOf(StreamEntry entry)
    {
        var kind = entry[PresenceChangeFields.Online] == "1" ? WebhookKind.UserOnline : WebhookKind.UserOffline;
        var detail = $$"""{"user":{{JsonSerializer.Serialize((string?)entry[PresenceChangeFields.User] ?? "")}}}""";
        var position = LogPosition.Parse(entry.Id.ToString());
        return options.Value.Targets.Where(target => target.Value.Wants(kind)).Select(target => new Row((short)target.Key, position, kind, detail));
    }

    private readonly record struct Row(short Webhook, LogPosition Position, WebhookKind Kind, string Detail);
}
