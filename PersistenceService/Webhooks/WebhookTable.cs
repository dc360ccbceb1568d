using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Outbox;
using AspireChat.PersistenceService.Writing;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// The outbox and the batches of webhooks in PostgreSQL. Thread-safe; throws what <see cref="DatabaseFaults.Is"/> knows when PostgreSQL cannot
/// be asked.
/// </summary>
internal sealed class WebhookTable(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>
    /// How long an event waits for one of a lower seq that is not committed yet: a replica that stalled may still hold it. A dead letter of
    /// the log comes later still, and out of order.
    /// </summary>
    private static readonly TimeSpan GapPatience = TimeSpan.FromSeconds(20);

    private const string Content = $"""
        LEFT JOIN LATERAL (SELECT {EventTable.Columns} FROM events WHERE conversation = r.lane AND seq = r.seq) e ON true
        """;

    private const string RowColumns =
        "e.*, r.number AS row_lane, r.seq AS row_seq, r.kind AS row_kind, r.at AS row_at, r.queued_at AS row_queued, r.detail AS row_detail";

    private const string BatchColumns = """
        b.id, b.lane, b.attempts, b.queued_at, u.seq, u.kind, u.at, u.detail, u.place
        """;

    private const string BatchRows =
        "CROSS JOIN LATERAL unnest(b.seqs, b.kinds, b.times, b.details) WITH ORDINALITY AS u (seq, kind, at, detail, place)";

    private const string BatchesSql = $"""
        SELECT {RowColumns}, r.id AS batch_id, r.lane AS batch_lane, r.attempts AS batch_attempts
        FROM (
            SELECT l.number, {BatchColumns} FROM unnest($2, $3) WITH ORDINALITY AS l (partition, lane, number)
            JOIN webhook_batches b ON b.webhook = $1 AND b.partition = l.partition AND b.lane = l.lane AND b.dead_at IS NULL AND NOT b.replayed
            {BatchRows}
            UNION ALL
            SELECT l.number, {BatchColumns} FROM unnest($4) WITH ORDINALITY AS l (id, number)
            JOIN webhook_batches b ON b.id = l.id AND b.dead_at IS NULL
            {BatchRows}) r
        {Content}
        ORDER BY r.number, r.place
        """;

    private const string WaitingSql = $"""
        SELECT {RowColumns}, r.position AS row_position,
            r.seq > 1 AND NOT EXISTS (SELECT FROM events p WHERE p.conversation = r.lane AND p.seq = r.seq - 1) AS row_gap
        FROM (
            SELECT l.number, o.* FROM unnest($2, $3) WITH ORDINALITY AS l (partition, lane, number)
            CROSS JOIN LATERAL (
                SELECT * FROM webhook_outbox o WHERE o.webhook = $1 AND o.partition = l.partition AND o.lane = l.lane
                ORDER BY o.position, o.seq LIMIT $4) o) r
        {Content}
        ORDER BY r.number, r.position, r.seq
        """;

    // All of it or nothing: a lane has one batch, whichever replica asks.
    private const string FixSql = """
        WITH taken AS (
            DELETE FROM webhook_outbox o USING unnest($2, $3, $4, $5, $6) AS t (id, partition, lane, position, seq)
            WHERE o.webhook = $1 AND o.partition = t.partition AND o.lane = t.lane AND o.position = t.position AND o.seq = t.seq
            RETURNING t.id, o.*)
        INSERT INTO webhook_batches (id, webhook, partition, lane, seqs, kinds, times, details, queued_at, next_at)
        SELECT id, webhook, partition, lane, array_agg(seq ORDER BY position, seq), array_agg(kind ORDER BY position, seq),
            array_agg(at ORDER BY position, seq), array_agg(detail ORDER BY position, seq), min(queued_at), $7
        FROM taken GROUP BY id, webhook, partition, lane
        RETURNING id, cardinality(seqs)
        """;

    // Steps from one lane to the next in the index, however many rows each has.
    private const string LanesSql = """
        WITH RECURSIVE lanes AS (
            (SELECT partition, lane FROM webhook_outbox WHERE webhook = $1 AND partition = ANY ($2) ORDER BY partition, lane LIMIT 1)
            UNION ALL
            SELECT n.partition, n.lane FROM lanes l CROSS JOIN LATERAL (
                SELECT partition, lane FROM webhook_outbox o
                WHERE o.webhook = $1 AND o.partition = ANY ($2) AND (o.partition, o.lane) > (l.partition, l.lane)
                ORDER BY partition, lane LIMIT 1) n)
        SELECT partition, lane FROM lanes LIMIT $3
        """;

    private const string LiveSql = """
        SELECT partition, lane, CASE WHEN replayed THEN id END, next_at FROM webhook_batches
        WHERE webhook = $1 AND partition = ANY ($2) AND dead_at IS NULL ORDER BY next_at LIMIT $3
        """;

    /// <summary>Up to so many lanes with something to tell, and those with a batch that is to be tried again.</summary>
    public async Task FindAsync(short webhook, IReadOnlyCollection<int> partitions, int most, Lanes lanes, CancellationToken cancellationToken)
    {
        short[] asked = [.. partitions.Select(partition => (short)partition)];
        await using var batch = database.CreateBatch();
        foreach (var sql in (string[])[LiveSql, LanesSql])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { Of(webhook), Of(asked), Of((long)most) } });
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            Guid? replay = reader.IsDBNull(2) ? null : reader.GetGuid(2);
            lanes.Found(replay is { } id ? $"replay:{id:N}" : reader.GetString(1), reader.GetInt16(0), replay, new DateTimeOffset(reader.GetDateTime(3)));
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lanes.Wake(reader.GetString(1), reader.GetInt16(0));
        }
    }

    /// <summary>
    /// What each of the lanes is to send next: the batch that it has, or a new one, which is fixed in the database before this returns. A lane
    /// that is missing in the answer has nothing; one with an empty batch (<see cref="WebhookBatch.Rows"/>) waits for a lower seq.
    /// </summary>
    public async Task<List<WebhookBatch>> PrepareAsync(short webhook, IReadOnlyList<Lane> lanes, CancellationToken cancellationToken)
    {
        var batches = await ReadBatchesAsync(webhook, lanes, cancellationToken);
        var known = batches.Select(batch => batch.Lane).ToHashSet();
        var rest = lanes.Where(lane => lane.Replay is null && !known.Contains(lane)).ToList();
        var begun = rest.Count == 0 ? [] : await ReadWaitingAsync(webhook, rest, cancellationToken);
        await FixAsync(webhook, [.. begun.Where(batch => batch.Rows.Count > 0)], cancellationToken);
        batches.AddRange(begun);
        return batches;
    }

    /// <summary>They were taken.</summary>
    public Task DeleteAsync(IReadOnlyList<WebhookBatch> batches, CancellationToken cancellationToken) => ExecuteAsync(
        "DELETE FROM webhook_batches WHERE id = ANY ($1)", cancellationToken, Of(batches.Select(batch => batch.Id).ToArray()));

    /// <summary>An attempt failed.</summary>
    public Task PostponeAsync(WebhookBatch batch, DateTimeOffset next, string error, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE webhook_batches SET attempts = attempts + 1, next_at = $2, error = $3 WHERE id = $1",
        cancellationToken, Of(batch.Id), Of(next.UtcDateTime), Of(error));

    /// <summary>The last attempt failed: from now on it is a dead letter.</summary>
    public Task BuryAsync(WebhookBatch batch, string error, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE webhook_batches SET attempts = attempts + 1, dead_at = $2, error = $3, replayed = false WHERE id = $1",
        cancellationToken, Of(batch.Id), Of(time.GetUtcNow().UtcDateTime), Of(error));

    private async Task<List<WebhookBatch>> ReadBatchesAsync(short webhook, IReadOnlyList<Lane> lanes, CancellationToken cancellationToken)
    {
        List<Lane> plain = [.. lanes.Where(lane => lane.Replay is null)];
        List<Lane> replays = [.. lanes.Where(lane => lane.Replay is not null)];
        await using var command = database.CreateCommand(BatchesSql);
        command.Parameters.Add(Of(webhook));
        command.Parameters.AddArray(NpgsqlDbType.Smallint, plain, lane => lane.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Text, plain, lane => lane.Name);
        command.Parameters.AddArray(NpgsqlDbType.Uuid, replays, lane => lane.Replay!.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var at = new Ordinals(reader);
        var batches = new List<WebhookBatch>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(at.Batch);
            if (batches.Count == 0 || batches[^1].Id != id)
            {
                var lane = replays.Find(lane => lane.Replay == id) ?? plain[(int)reader.GetInt64(at.Lane) - 1];
                batches.Add(new WebhookBatch(
                    lane, reader.GetString(at.BatchLane), id, reader.GetInt32(at.Attempts), new DateTimeOffset(reader.GetDateTime(at.Queued)))
                {
                    LeavesMore = true,
                });
            }

            batches[^1].Add(Row(reader, at, 0, batches[^1].Place));
        }

        return batches;
    }

    private async Task<List<WebhookBatch>> ReadWaitingAsync(short webhook, List<Lane> lanes, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(WaitingSql);
        command.Parameters.Add(Of(webhook));
        command.Parameters.AddArray(NpgsqlDbType.Smallint, lanes, lane => lane.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Text, lanes, lane => lane.Name);
        command.Parameters.Add(Of((long)WebhookBatch.MostEvents));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var at = new Ordinals(reader);
        var batches = new List<WebhookBatch>();
        var ended = false;
        var oldest = time.GetUtcNow() - GapPatience;
        while (await reader.ReadAsync(cancellationToken))
        {
            var lane = lanes[(int)reader.GetInt64(at.Lane) - 1];
            var queued = new DateTimeOffset(reader.GetDateTime(at.Queued));
            if (batches.Count == 0 || batches[^1].Lane != lane)
            {
                batches.Add(new WebhookBatch(lane, lane.Name, Guid.CreateVersion7(time.GetUtcNow()), 0, queued));
                ended = false;
            }

            var batch = batches[^1];
            var gap = reader.GetBoolean(at.Gap) && reader.GetInt64(at.Seq) != batch.NextSeq && queued > oldest
                && (WebhookKind)reader.GetInt16(at.Kind) != WebhookKind.MessageUnseen;
            // What follows in a lane that has ended is passed over: it is read with the next batch.
            ended |= gap || batch.IsFull;
            if (!ended)
            {
                batch.Add(Row(reader, at, reader.GetInt64(at.Position), batch.Place));
            }

            batch.LeavesMore = ended || batch.IsFull;
        }

        return batches;
    }

    private async Task FixAsync(short webhook, List<WebhookBatch> batches, CancellationToken cancellationToken)
    {
        if (batches.Count == 0)
        {
            return;
        }

        var rows = batches.SelectMany(batch => batch.Rows.Select(row => (Batch: batch, Row: row))).ToList();
        await using var command = database.CreateCommand(FixSql);
        command.Parameters.Add(Of(webhook));
        command.Parameters.AddArray(NpgsqlDbType.Uuid, rows, row => row.Batch.Id);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => row.Batch.Lane.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Batch.Lane.Name);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Row.Position);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Row.Seq);
        command.Parameters.Add(Of(time.GetUtcNow().UtcDateTime));
        var @fixed = new Dictionary<Guid, int>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                @fixed[reader.GetGuid(0)] = reader.GetInt32(1);
            }
        }

        if (batches.Exists(batch => @fixed.GetValueOrDefault(batch.Id) != batch.Rows.Count))
        {
            throw new LaneTakenException();
        }
    }

    private static WebhookRow Row(NpgsqlDataReader reader, in Ordinals at, long position, string place)
    {
        var e = reader.IsDBNull(0) || !Contracts.Conversations.ConversationKey.TryParse(place, out var conversation)
            ? null
            : EventTable.ReadEvent(reader, conversation);
        return new WebhookRow(
            position,
            reader.GetInt64(at.Seq),
            (WebhookKind)reader.GetInt16(at.Kind),
            reader.GetDateTime(at.At),
            reader.IsDBNull(at.Detail) ? null : reader.GetString(at.Detail),
            e,
            e is not null && !reader.IsDBNull(at.Deleted),
            e is null || reader.IsDBNull(at.Edited) ? 0 : reader.GetInt64(at.Edited));
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlParameter<T> Of<T>(T value) => new() { TypedValue = value };

    /// <summary>Where the columns stand: those of the event come first, and may become more.</summary>
    private readonly struct Ordinals
    {
        public Ordinals(NpgsqlDataReader reader)
        {
            var names = Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, at => at, StringComparer.Ordinal);
            (Lane, Seq, Kind, At) = (names["row_lane"], names["row_seq"], names["row_kind"], names["row_at"]);
            (Queued, Detail, Edited, Deleted) = (names["row_queued"], names["row_detail"], names["edited"], names["deleted"]);
            (Batch, BatchLane) = (names.GetValueOrDefault("batch_id", -1), names.GetValueOrDefault("batch_lane", -1));
            Attempts = names.GetValueOrDefault("batch_attempts", -1);
            (Position, Gap) = (names.GetValueOrDefault("row_position", -1), names.GetValueOrDefault("row_gap", -1));
        }

        public readonly int Lane, Seq, Kind, At, Queued, Detail, Edited, Deleted, Batch, BatchLane, Attempts, Position, Gap;
    }
}

/// <summary>Another replica works on the lane as well, for a moment. What it fixed is found at the next look.</summary>
internal sealed class LaneTakenException() : Exception("another replica took a part of the lane");
