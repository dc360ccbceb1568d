using AspireChat.PersistenceService.Outbox;
using Npgsql;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>A call that was given up.</summary>
internal sealed record WebhookLetter(
    Guid Id, int Webhook, string Lane, IReadOnlyList<WebhookKind> Kinds, long FirstSeq, long LastSeq, int Attempts, string Error, DateTimeOffset DeadAt);

/// <summary>The dead letters of webhooks. Thread-safe; throws what <see cref="Writing.DatabaseFaults.Is"/> knows.</summary>
internal sealed class WebhookLetters(NpgsqlDataSource database, TimeProvider time)
{
    private const string ListSql = """
        SELECT id, webhook, lane, kinds, (SELECT GREATEST(0, min(s)) FROM unnest(seqs) s), (SELECT GREATEST(0, max(s)) FROM unnest(seqs) s),
            attempts, error, dead_at
        FROM webhook_batches WHERE dead_at IS NOT NULL AND (dead_at, id) < ($1, $2) ORDER BY dead_at DESC, id DESC LIMIT $3
        """;

    // It has the whole time again. The id stays, so a receiver that took it after all knows it.
    private const string ReplaySql = """
        UPDATE webhook_batches SET dead_at = NULL, replayed = true, queued_at = $2, next_at = $2 WHERE id = $1 AND dead_at IS NOT NULL
        """;

    /// <summary>The newest first.</summary>
    public async Task<List<WebhookLetter>> ListAsync(WebhookLetter? after, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(ListSql);
        command.Parameters.Add(new() { Value = after?.DeadAt.UtcDateTime ?? DateTime.MaxValue });
        command.Parameters.Add(new() { Value = after?.Id ?? Guid.Empty });
        command.Parameters.Add(new() { Value = (long)count });
        var letters = new List<WebhookLetter>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            letters.Add(new WebhookLetter(
                reader.GetGuid(0),
                reader.GetInt16(1),
                reader.GetString(2),
                [.. reader.GetFieldValue<short[]>(3).Select(kind => (WebhookKind)kind)],
                reader.GetInt64(4),
                reader.GetInt64(5),
                reader.GetInt32(6),
                reader.IsDBNull(7) ? "" : reader.GetString(7),
                new DateTimeOffset(reader.GetDateTime(8))));
        }

        return letters;
    }

    /// <summary>Sends it again, under its id. False: there is no such dead letter.</summary>
    public async Task<bool> ReplayAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(ReplaySql);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
