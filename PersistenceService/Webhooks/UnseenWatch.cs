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
/// Finds messages that their addressees did not come to see (<see cref="UnseenRule"/>) and puts each into the outbox once: the same transaction
/// takes it from the list of those that are watched. Looks once a second at the partitions that this replica owns.
/// </summary>
internal sealed class UnseenWatch(
    NpgsqlDataSource database,
    IConnectionMultiplexer redis,
    PartitionOwnership ownership,
    OutboxBell bell,
    IOptions<WebhookOptions> options,
    TimeProvider time,
    ILogger<UnseenWatch> logger) : BackgroundService
{
    private const int Most = 500;

    private const string DueSql = """
        SELECT conversation, seq, member, at FROM webhook_unseen
        WHERE partition = ANY ($1) AND due_at <= $2 ORDER BY due_at LIMIT $3
        """;

    private const string TellSql = """
        WITH told AS (
            DELETE FROM webhook_unseen u USING unnest($2, $3, $4, $5, $6) AS t (partition, conversation, seq, member, detail)
            WHERE u.conversation = t.conversation AND u.seq = t.seq AND u.member = t.member
            RETURNING t.partition, t.conversation, t.seq, t.detail)
        INSERT INTO webhook_outbox (webhook, partition, lane, position, seq, kind, at, queued_at, detail)
        SELECT w.webhook, t.partition, t.conversation, $7 + row_number() OVER (), t.seq, $8, $9, $9, t.detail
        FROM told t CROSS JOIN unnest($1) AS w (webhook)
        WHERE EXISTS (SELECT FROM events e WHERE e.conversation = t.conversation AND e.seq = t.seq AND e.deleted IS NULL)
        """;

    private const string DropSql = """
        DELETE FROM webhook_unseen u USING unnest($1, $2, $3) AS t (conversation, seq, member)
        WHERE u.conversation = t.conversation AND u.seq = t.seq AND u.member = t.member
        """;

    private const string LaterSql = """
        UPDATE webhook_unseen u SET due_at = t.due_at FROM unnest($1, $2, $3, $4) AS t (conversation, seq, member, due_at)
        WHERE u.conversation = t.conversation AND u.seq = t.seq AND u.member = t.member
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly short[] _webhooks =
    [
        .. options.Value.Targets.Where(target => target.Value.Wants(WebhookKind.MessageUnseen)).Select(target => (short)target.Key),
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_webhooks.Length == 0)
        {
            return;
        }

        await new RecurringLook(Interval, time, (fault, count) => WebhookLog.RedisAway(logger, fault, count)).RunAsync(
            async token => await LookAsync(token) == Most, stoppingToken);
    }

    /// <summary>Returns how many were due.</summary>
    private async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        short[] partitions = [.. ownership.Owned.Select(partition => (short)partition)];
        if (partitions.Length == 0)
        {
            return 0;
        }

        var now = time.GetUtcNow();
        var due = await ReadDueAsync(partitions, now, cancellationToken);
        var judged = await Task.WhenAll(due.Select(watched => JudgeAsync(watched, now)));
        List<Watched> Of(UnseenVerdict verdict) => [.. judged.Where(each => each.Verdict == verdict).Select(each => each.Watched)];
        await TellAsync(Of(UnseenVerdict.Tell), now, cancellationToken);
        await ChangeAsync(DropSql, Of(UnseenVerdict.Drop), withDue: false, cancellationToken);
        await ChangeAsync(LaterSql, Of(UnseenVerdict.Later), withDue: true, cancellationToken);
        return due.Count;
    }

    private async Task<List<Watched>> ReadDueAsync(short[] partitions, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(DueSql);
        command.Parameters.Add(new() { Value = partitions });
        command.Parameters.Add(new() { Value = now.UtcDateTime });
        command.Parameters.Add(new() { Value = (long)Most });
        var due = new List<Watched>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ConversationKey.TryParse(reader.GetString(0), out var conversation))
            {
                due.Add(new Watched(conversation, reader.GetInt64(1), reader.GetString(2), new DateTimeOffset(reader.GetDateTime(3)), now));
            }
        }

        return due;
    }

    private async Task<(Watched Watched, UnseenVerdict Verdict)> JudgeAsync(Watched watched, DateTimeOffset now)
    {
        var asked = redis.GetDatabase();
        var cursor = asked.HashGetAsync(RedisKeys.Members(watched.Conversation), watched.User);
        var connected = asked.KeyExistsAsync(RedisKeys.PresenceUser(watched.User));
        var seen = asked.StringGetAsync(RedisKeys.PresenceSeen(watched.User));
        var read = (long?)await cursor >= watched.Seq;
        DateTimeOffset? lastSeen = (long?)await seen is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
        var verdict = UnseenRule.Judge(now, watched.Sent, read, await connected, lastSeen, options.Value.UnseenAfter, out var next);
        return (watched with { Due = next }, verdict);
    }

    private async Task TellAsync(List<Watched> watched, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (watched.Count == 0)
        {
            return;
        }

        await using var command = database.CreateCommand(TellSql);
        command.Parameters.Add(new() { Value = _webhooks });
        command.Parameters.AddArray(NpgsqlDbType.Smallint, watched, each => (short)each.Conversation.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Text, watched, each => each.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, watched, each => each.Seq);
        command.Parameters.AddArray(NpgsqlDbType.Text, watched, each => each.User);
        command.Parameters.AddArray(NpgsqlDbType.Text, watched, each => $$"""{"user":{{JsonSerializer.Serialize(each.User)}}}""");
        command.Parameters.Add(new() { Value = LogPosition.At(now.ToUnixTimeMilliseconds()).Packed });
        command.Parameters.Add(new() { Value = (short)WebhookKind.MessageUnseen });
        command.Parameters.Add(new() { Value = now.UtcDateTime });
        await command.ExecuteNonQueryAsync(cancellationToken);
        foreach (var each in watched)
        {
            bell.Ring(each.Conversation.Value, WebhookKind.MessageUnseen);
        }
    }

    private async Task ChangeAsync(string sql, List<Watched> watched, bool withDue, CancellationToken cancellationToken)
    {
        if (watched.Count == 0)
        {
            return;
        }

        await using var command = database.CreateCommand(sql);
        command.Parameters.AddArray(NpgsqlDbType.Text, watched, each => each.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, watched, each => each.Seq);
        command.Parameters.AddArray(NpgsqlDbType.Text, watched, each => each.User);
        if (withDue)
        {
            command.Parameters.AddArray(NpgsqlDbType.TimestampTz, watched, each => each.Due.UtcDateTime);
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed record Watched(ConversationKey Conversation, long Seq, string User, DateTimeOffset Sent, DateTimeOffset Due);
}
