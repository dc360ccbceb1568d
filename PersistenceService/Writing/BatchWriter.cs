using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Writing;

/// <summary>An event that contradicts what PostgreSQL has. It was not stored; everything else of its batch was.</summary>
/// <param name="SeqTaken">
/// True: its (conversation, seq) belongs to another event. False: its (conversation, sender, nonce) stands at another seq, so its own seq
/// is missing.
/// </param>
internal sealed record Conflict(LogEntry Entry, bool SeqTaken);

/// <summary>What one partition has to write.</summary>
/// <param name="Entries">In the order of the log; all have a record.</param>
/// <param name="Committed">The partition's place after these entries; <see cref="LogPosition.None"/> leaves it where it is.</param>
internal sealed record PartitionBatch(int Partition, IReadOnlyList<LogEntry> Entries, LogPosition Committed);

/// <summary>
/// Writes batches of log entries in one transaction. Writing the same entries again changes nothing, in whatever order and however often.
/// Thread-safe.
/// </summary>
/// <param name="unindexed">Hears what was committed.</param>
internal sealed class BatchWriter(
    NpgsqlDataSource database, TimeProvider time, IBatchAddition? addition = null, UnindexedConversations? unindexed = null)
{
    // "before" is read in the snapshot of the statement, hence without what "raised" does.
    private const string HeadsSql = """
        WITH batch AS (SELECT * FROM unnest($1, $2, $3, $5, $6) AS b (conversation, partition, head, message, messaged_at)),
        before AS (SELECT c.conversation, c.head FROM conversations c JOIN batch b ON b.conversation = c.conversation),
        raised AS (
            INSERT INTO conversations AS c (conversation, partition, head, updated_at, last_message, messaged_at)
            SELECT conversation, partition, head, $4, message, messaged_at FROM batch
            ON CONFLICT (conversation) DO UPDATE SET head = excluded.head, updated_at = excluded.updated_at,
                last_message = COALESCE(excluded.last_message, c.last_message), messaged_at = COALESCE(excluded.messaged_at, c.messaged_at)
            WHERE c.head < excluded.head)
        SELECT conversation, head FROM before
        """;

    private const string CommittedSql = """
        UPDATE partitions p SET committed = b.committed
        FROM unnest($1, $2) AS b (partition, committed)
        WHERE p.partition = b.partition AND p.committed < b.committed
        """;

    private const string ConflictSql = """
        SELECT b.number, e.id IS NOT NULL
        FROM unnest($1, $2, $3) WITH ORDINALITY AS b (conversation, seq, id, number)
        LEFT JOIN events e ON e.conversation = b.conversation AND e.seq = b.seq
        WHERE e.id IS DISTINCT FROM b.id
        """;

    /// <summary>Commits the entries and their partitions' places in the log: all or nothing.</summary>
    /// <param name="batches">At most one of each partition.</param>
    /// <exception cref="PostgresException">PostgreSQL refused; nothing was written.</exception>
    public async Task<IReadOnlyList<Conflict>> WriteAsync(IReadOnlyList<PartitionBatch> batches, CancellationToken cancellationToken)
    {
        var events = new EventColumns();
        var members = new MemberColumns();
        var rooms = new RoomColumns();
        var users = new UserColumns();
        foreach (var entry in batches.SelectMany(batch => batch.Entries))
        {
            switch (entry.Record)
            {
                case ConversationEvent e:
                    events.Add(entry, e);
                    break;
                case MembershipRecord membership:
                    members.Add(entry, membership);
                    rooms.Add(entry, membership);
                    break;
                case MemberChangeRecord change:
                    members.Add(entry, change);
                    rooms.Add(entry, change);
                    break;
                case RoomRecord room:
                    rooms.Add(entry, room);
                    break;
                case ReadRecord read:
                    members.Add(read);
                    break;
                case ProfileRecord profile:
                    users.Add(entry, profile);
                    break;
                case RevokeRecord revoke:
                    users.Add(revoke);
                    break;
                default:
                    throw new InvalidOperationException("An entry without a record is nothing to write.");
            }
        }

        try
        {
            return await WriteAsync(batches, events, members, rooms, users, tolerant: false, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Redelivered, or in conflict: both are rare. ON CONFLICT looks into each unique index once more before every row, so only
            // batches that need it pay for it.
            return await WriteAsync(batches, events, members, rooms, users, tolerant: true, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<Conflict>> WriteAsync(
        IReadOnlyList<PartitionBatch> batches,
        EventColumns events,
        MemberColumns members,
        RoomColumns rooms,
        UserColumns users,
        bool tolerant,
        CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var heads = HeadsOf(events.Events);
        var before = new Dictionary<string, long>();
        var inserted = await InsertAsync(connection, events, members, rooms, users, heads, before, batches, tolerant, cancellationToken);
        IReadOnlyList<Conflict> conflicts = inserted == events.Count ? [] : await FindConflictsAsync(connection, events, cancellationToken);
        await FollowUpAsync(connection, events.Events, heads.Keys, before, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        addition?.Committed(batches);
        unindexed?.Add(heads.Keys, events.Count);
        return conflicts;
    }

    private static SortedDictionary<string, Head> HeadsOf(IReadOnlyList<ConversationEvent> events)
    {
        var heads = new SortedDictionary<string, Head>(StringComparer.Ordinal);
        foreach (var e in events)
        {
            heads.TryGetValue(e.Conversation.Value, out var head);
            var isMessage = e.Kind is EventKind.Room or EventKind.Dm;
            if (head.Seq < e.Seq || (isMessage && head.Message < e.Seq))
            {
                heads[e.Conversation.Value] = isMessage && head.Message < e.Seq
                    ? new Head(Math.Max(head.Seq, e.Seq), e.Seq, e.Timestamp)
                    : head with { Seq = e.Seq };
            }
        }
        return heads;
    }

    /// <summary>
    /// One round trip for what every batch needs. Returns how many events were new; <paramref name="before"/> gets the heads as they were.
    /// </summary>
    private async Task<int> InsertAsync(
        NpgsqlConnection connection,
        EventColumns events,
        MemberColumns members,
        RoomColumns rooms,
        UserColumns users,
        SortedDictionary<string, Head> heads,
        Dictionary<string, long> before,
        IReadOnlyList<PartitionBatch> batches,
        bool tolerant,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        NpgsqlBatchCommand? insert = null;
        if (events.Count > 0)
        {
            batch.BatchCommands.Add(ToHeads(heads));
        }

        foreach (var command in addition?.CommandsFor(batches, tolerant) ?? [])
        {
            batch.BatchCommands.Add(command);
        }

        if (events.Count > 0)
        {
            batch.BatchCommands.Add(insert = events.ToInsert(tolerant));
        }

        foreach (var upsert in members.ToUpserts().Concat(rooms.ToUpserts()).Concat(users.ToUpserts()))
        {
            batch.BatchCommands.Add(upsert);
        }

        batch.BatchCommands.Add(ToCommitted(batches));
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                before[reader.GetString(0)] = reader.GetInt64(1);
            }

            while (await reader.NextResultAsync(cancellationToken))
            {
                // The other statements return nothing; going through them all is what surfaces their errors.
            }
        }
        return insert is null ? 0 : (int)insert.RecordsAffected;
    }

    private static NpgsqlBatchCommand ToCommitted(IReadOnlyList<PartitionBatch> batches)
    {
        // In one order everywhere, like the conversations: two replicas that overlap for a moment must not wait for each other's rows.
        var rows = batches.OrderBy(batch => batch.Partition).ToList();
        var command = new NpgsqlBatchCommand(CommittedSql);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, batch => (short)batch.Partition);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, batch => batch.Committed.Packed);
        return command;
    }

    private NpgsqlBatchCommand ToHeads(SortedDictionary<string, Head> heads)
    {
        var rows = heads.ToList();
        var command = new NpgsqlBatchCommand(HeadsSql);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Key);
        command.Parameters.AddArray(NpgsqlDbType.Smallint, rows, row => (short)LogPartitions.Of(row.Key));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Value.Seq);
        command.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Value.Message > 0 ? row.Value.Message : (long?)null);
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows, row => row.Value.Message > 0
            ? DateTimeOffset.FromUnixTimeMilliseconds(row.Value.MessagedAt).UtcDateTime
            : (DateTime?)null);
        return command;
    }

    private static async Task<IReadOnlyList<Conflict>> FindConflictsAsync(
        NpgsqlConnection connection, EventColumns events, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ConflictSql, connection);
        command.Parameters.AddArray(NpgsqlDbType.Text, events.Events, e => e.Conversation.Value);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, events.Events, e => e.Seq);
        command.Parameters.AddArray(NpgsqlDbType.Uuid, events.Events, e => e.Id);
        var conflicts = new List<Conflict>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            conflicts.Add(new Conflict(events.Entries[(int)reader.GetInt64(0) - 1], reader.GetBoolean(1)));
        }

        return conflicts;
    }

    /// <summary>What only some batches need: the effects of edits and deletes, the participants of new direct conversations.</summary>
    private static async Task FollowUpAsync(
        NpgsqlConnection connection,
        IReadOnlyList<ConversationEvent> events,
        IEnumerable<string> conversations,
        Dictionary<string, long> before,
        CancellationToken cancellationToken)
    {
        var started = conversations.Where(conversation => !before.ContainsKey(conversation)).ToHashSet();
        var touched = new List<(string, long)>();
        var deleted = new List<(string, long)>();
        var mentioned = new List<(string, long)>();
        var late = new List<(string, long)>();
        var direct = new Dictionary<ConversationKey, long>();
        foreach (var e in events)
        {
            if (e.Kind is EventKind.Edit or EventKind.Delete)
            {
                touched.Add((e.Conversation.Value, e.Target));
                if (e.Kind == EventKind.Delete)
                {
                    deleted.Add((e.Conversation.Value, e.Target));
                }

                if (e.Kind == EventKind.Delete || e.Details?.Mentions is not null)
                {
                    mentioned.Add((e.Conversation.Value, e.Target));
                }
            }
            else if (e.Kind != EventKind.React && before.TryGetValue(e.Conversation.Value, out var head) && e.Seq <= head)
            {
                touched.Add((e.Conversation.Value, e.Seq));
                late.Add((e.Conversation.Value, e.Seq));
                mentioned.Add((e.Conversation.Value, e.Seq));
            }
            else if (e.Kind != EventKind.React && e.Details?.Mentions is not null)
            {
                mentioned.Add((e.Conversation.Value, e.Seq));
            }

            if (!e.Conversation.IsRoom && started.Contains(e.Conversation.Value))
            {
                direct.TryAdd(e.Conversation, e.Timestamp);
            }
        }
        if (touched.Count == 0 && direct.Count == 0 && mentioned.Count == 0)
        {
            return;
        }

        await using var batch = new NpgsqlBatch(connection);
        if (direct.Count > 0)
        {
            batch.BatchCommands.Add(MemberColumns.ToParticipants(direct.Select(pair => (pair.Key, pair.Value))));
        }

        if (touched.Count > 0)
        {
            foreach (var command in LateEffects.Of(touched))
            {
                batch.BatchCommands.Add(command);
            }
        }
        if (deleted.Count > 0)
        {
            batch.BatchCommands.Add(LateEffects.OfNewest(deleted));
        }

        if (mentioned.Count > 0)
        {
            batch.BatchCommands.Add(LateEffects.OfMentions(mentioned));
        }

        if (late.Count > 0)
        {
            batch.BatchCommands.Add(LateEffects.OfMarks(late));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Of the events of one conversation in a batch: the last, and the last message with its time.</summary>
    private readonly record struct Head(long Seq, long Message, long MessagedAt);
}
