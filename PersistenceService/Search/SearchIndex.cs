using AspireChat.PersistenceService.Writing;
using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Search;

/// <summary>
/// Brings the index of words up to the committed events. It reads each conversation's events in their order from its mark on: a message is
/// put in, an edit or deletion lets its message be read again as it is by then. So nothing but the marks has to be remembered over a crash,
/// and doing it twice changes nothing. Thread-safe, over all replicas; throws <see cref="NpgsqlException"/> when PostgreSQL cannot be asked.
/// </summary>
internal sealed class SearchIndex(NpgsqlDataSource database)
{
    /// <summary>Events of one conversation, and of all, in one step: a few ten milliseconds.</summary>
    private const int MostOfOne = 1_000, MostOfAll = 2_000;

    private const string NewMarksSql = """
        INSERT INTO search_marks (conversation, seq)
        SELECT name, 0 FROM unnest($1) AS t (name) WHERE NOT EXISTS (SELECT FROM search_marks k WHERE k.conversation = t.name) ORDER BY name
        ON CONFLICT DO NOTHING
        """;

    // Another replica that has a mark works on its conversation.
    private const string MarksSql =
        "SELECT conversation, seq FROM search_marks WHERE conversation = ANY ($1) ORDER BY conversation FOR UPDATE SKIP LOCKED";

    private const string EventsSql = """
        SELECT e.conversation, e.seq, e.created_at, e.kind, e.sender, e.content, e.target, e.deleted IS NOT NULL
        FROM unnest($1, $2) AS t (conversation, mark)
        CROSS JOIN LATERAL (SELECT * FROM events e WHERE e.conversation = t.conversation AND e.seq > t.mark ORDER BY e.seq LIMIT $3) e
        LIMIT $4
        """;

    private const string TargetsSql = """
        SELECT e.conversation, e.seq, e.created_at, e.kind, e.sender, e.content, e.target, e.deleted IS NOT NULL
        FROM unnest($1, $2) AS t (conversation, seq)
        CROSS JOIN LATERAL (SELECT * FROM events e WHERE e.conversation = t.conversation AND e.seq = t.seq OFFSET 0) e
        """;

    private const string InsertSql = """
        INSERT INTO search (conversation, seq, created_at, words)
        SELECT conversation, seq, created_at, array_to_tsvector(string_to_array(words, ' ')) FROM unnest($1, $2, $3, $4) AS t (conversation, seq, created_at, words)
        ON CONFLICT (conversation, seq) DO UPDATE SET words = excluded.words
        """;

    private const string DeleteSql =
        "DELETE FROM search s USING unnest($1, $2) AS t (conversation, seq) WHERE s.conversation = t.conversation AND s.seq = t.seq";

    private const string MoveSql =
        "UPDATE search_marks k SET seq = t.seq FROM unnest($1, $2) AS t (conversation, seq) WHERE k.conversation = t.conversation";

    private const string BehindSql = """
        SELECT c.conversation FROM conversations c LEFT JOIN search_marks k ON k.conversation = c.conversation
        WHERE c.conversation > $1 AND c.head > COALESCE(k.seq, 0) ORDER BY c.conversation LIMIT $2
        """;

    /// <summary>Conversations behind <paramref name="after"/>, in the order of their keys, that have events which are not indexed.</summary>
    public async Task<List<string>> ReadBehindAsync(string after, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(BehindSql);
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = (long)count });
        var conversations = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            conversations.Add(reader.GetString(0));
        }

        return conversations;
    }

    /// <summary>Indexes the next events of these conversations.</summary>
    /// <returns>How many events were read, and the conversations that may have more.</returns>
    public async Task<(int Events, IReadOnlyList<string> Unfinished)> StepAsync(
        IReadOnlyList<string> conversations, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var marks = await LockAsync(connection, conversations, cancellationToken);
        var events = await ReadAsync(connection, EventsSql, marks, [(long)MostOfOne, (long)MostOfAll], cancellationToken);
        var places = new Dictionary<string, long>(StringComparer.Ordinal);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var e in events)
        {
            places[e.Conversation] = e.Seq;
            counts[e.Conversation] = counts.GetValueOrDefault(e.Conversation) + 1;
        }

        // What is changed within the events was read as it is now; only earlier messages have to be read again.
        var before = marks.ToDictionary(mark => mark.Conversation, mark => mark.Seq, StringComparer.Ordinal);
        var changed = events.Where(e => e.Target is { } target && e.Changes && target <= before[e.Conversation])
            .Select(e => (e.Conversation, Seq: e.Target!.Value)).Distinct().ToList();
        if (changed.Count > 0)
        {
            events.AddRange(await ReadAsync(connection, TargetsSql, changed, [], cancellationToken));
        }

        await WriteAsync(connection, events, places, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        // One whose mark another replica had is looked at again, lest it came too late for that.
        var unfinished = events.Count >= MostOfAll
            ? conversations
            : [.. conversations.Where(name => !before.ContainsKey(name) || counts.GetValueOrDefault(name) >= MostOfOne)];
        return (events.Count, unfinished);
    }

    private static async Task<List<(string Conversation, long Seq)>> LockAsync(
        NpgsqlConnection connection, IReadOnlyList<string> conversations, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[NewMarksSql, MarksSql])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddArray(NpgsqlDbType.Text, conversations, name => name);
            batch.BatchCommands.Add(command);
        }

        var marks = new List<(string, long)>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                marks.Add((reader.GetString(0), reader.GetInt64(1)));
            }
        }
        while (await reader.NextResultAsync(cancellationToken));

        return marks;
    }

    private static async Task<List<Row>> ReadAsync(
        NpgsqlConnection connection, string sql, List<(string Conversation, long Seq)> places, object[] more, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddArray(NpgsqlDbType.Text, places, place => place.Conversation);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, places, place => place.Seq);
        foreach (var value in more)
        {
            command.Parameters.Add(new() { Value = value });
        }

        var rows = new List<Row>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new Row(
                reader.GetString(0), reader.GetInt64(1), reader.GetDateTime(2), reader.GetInt16(3), reader.GetString(4),
                reader.IsDBNull(5) ? "" : reader.GetString(5), reader.IsDBNull(6) ? null : reader.GetInt64(6), reader.GetBoolean(7)));
        }

        return rows;
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection, List<Row> events, Dictionary<string, long> marks, CancellationToken cancellationToken)
    {
        var present = events.Where(e => e is { IsMessage: true, Deleted: false }).ToList();
        var gone = events.Where(e => e is { IsMessage: true, Deleted: true }).ToList();
        await using var batch = new NpgsqlBatch(connection);
        if (present.Count > 0)
        {
            var insert = new NpgsqlBatchCommand(InsertSql);
            insert.Parameters.AddArray(NpgsqlDbType.Text, present, e => e.Conversation);
            insert.Parameters.AddArray(NpgsqlDbType.Bigint, present, e => e.Seq);
            insert.Parameters.AddArray(NpgsqlDbType.TimestampTz, present, e => e.CreatedAt);
            insert.Parameters.AddArray(NpgsqlDbType.Text, present, e => e.Words);
            batch.BatchCommands.Add(insert);
        }
        if (gone.Count > 0)
        {
            var delete = new NpgsqlBatchCommand(DeleteSql);
            delete.Parameters.AddArray(NpgsqlDbType.Text, gone, e => e.Conversation);
            delete.Parameters.AddArray(NpgsqlDbType.Bigint, gone, e => e.Seq);
            batch.BatchCommands.Add(delete);
        }
        if (marks.Count > 0)
        {
            var rows = marks.OrderBy(mark => mark.Key, StringComparer.Ordinal).ToList();
            var move = new NpgsqlBatchCommand(MoveSql);
            move.Parameters.AddArray(NpgsqlDbType.Text, rows, mark => mark.Key);
            move.Parameters.AddArray(NpgsqlDbType.Bigint, rows, mark => mark.Value);
            batch.BatchCommands.Add(move);
        }
        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private sealed record Row(
        string Conversation, long Seq, DateTime CreatedAt, short Kind, string Sender, string Content, long? Target, bool Deleted)
    {
        /// <summary>A room's or a direct message.</summary>
        public bool IsMessage => Kind is 0 or 1;

        /// <summary>An edit or a deletion.</summary>
        public bool Changes => Kind is 2 or 3;

        /// <summary>With spaces between them; what a query narrows to is among them.</summary>
        public string Words => string.Join(' ', SearchWords.Of(Content).Append("=" + Conversation).Append("@" + Sender));
    }
}
