using Npgsql;
using NpgsqlTypes;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// Brings messages to the state that the edits and deletes of them say. It computes that state from the events in the table, so it does
/// not matter in which order they came, or how often.
/// </summary>
internal static class LateEffects
{
    // A deleted message has no content, nor has any edit of it, before or after. In a room moderators delete as well: append.lua has looked
    // whether the sender was one.
    private const string DeleteSql = """
        WITH dead AS (
            SELECT m.conversation, m.seq, min(d.seq) AS by
            FROM unnest($1, $2) AS t (conversation, target)
            JOIN events m ON m.conversation = t.conversation AND m.seq = t.target AND m.kind IN (0, 1)
            JOIN events d ON d.conversation = t.conversation AND d.target = t.target AND d.kind = 3
                AND (d.sender = m.sender OR left(d.conversation, 2) = 'r:')
            GROUP BY m.conversation, m.seq),
        wiped AS (
            UPDATE events e SET content = '', mentions = NULL, meta = NULL, deleted = dead.by FROM dead
            WHERE e.conversation = dead.conversation AND e.target = dead.seq AND e.kind = 2 AND e.deleted IS DISTINCT FROM dead.by)
        UPDATE events m SET content = '', mentions = NULL, meta = NULL, deleted = dead.by FROM dead
        WHERE m.conversation = dead.conversation AND m.seq = dead.seq AND m.deleted IS DISTINCT FROM dead.by
        """;

    // The last edit by the author wins. It is looked for among the edits of the message (events_edits), never among all events of the author,
    // who may have millions: that is what the empty text is for. Of mentions and meta the last edit that names them wins.
    private const string EditSql = """
        UPDATE events m SET content = last.content, edited = last.seq,
            mentions = NULLIF(COALESCE(last.mentions, m.mentions), ''), meta = COALESCE(last.meta, m.meta)
        FROM (
            SELECT m.conversation, m.seq AS target, e.seq, e.content, e.mentions, e.meta
            FROM unnest($1, $2) AS t (conversation, target)
            JOIN events m ON m.conversation = t.conversation AND m.seq = t.target AND m.kind IN (0, 1)
            CROSS JOIN LATERAL (
                SELECT seq, content,
                    (array_agg(mentions) FILTER (WHERE mentions IS NOT NULL) OVER later)[1] AS mentions,
                    (array_agg(meta) FILTER (WHERE meta IS NOT NULL) OVER later)[1] AS meta
                FROM events e
                WHERE e.conversation = t.conversation AND e.target = t.target AND e.kind = 2 AND e.sender || '' = m.sender
                WINDOW later AS (ORDER BY seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
                ORDER BY seq DESC LIMIT 1) e) last
        WHERE m.conversation = last.conversation AND m.seq = last.target
            AND m.deleted IS NULL AND (m.edited IS NULL OR m.edited < last.seq)
        """;

    // Where the newest message of a conversation was deleted, the one before it is the newest.
    private const string NewestSql = """
        WITH gone AS (
            SELECT c.conversation, c.last_message FROM unnest($1, $2) AS t (conversation, target)
            JOIN conversations c ON c.conversation = t.conversation AND c.last_message = t.target
            JOIN events m ON m.conversation = t.conversation AND m.seq = t.target AND m.deleted IS NOT NULL)
        UPDATE conversations c SET last_message = newest.seq, messaged_at = newest.created_at
        FROM (
            SELECT gone.conversation, e.seq, e.created_at FROM gone
            LEFT JOIN LATERAL (
                SELECT seq, created_at FROM events e
                WHERE e.conversation = gone.conversation AND e.seq < gone.last_message AND e.kind IN (0, 1) AND e.deleted IS NULL
                ORDER BY e.seq DESC LIMIT 1) e ON true) newest
        WHERE c.conversation = newest.conversation
        """;

    private const string MentionsSql = """
        WITH t AS (SELECT * FROM unnest($1, $2) AS t (conversation, seq)),
        said AS (
            SELECT u.member, m.conversation, m.seq FROM t JOIN events m ON m.conversation = t.conversation AND m.seq = t.seq
            CROSS JOIN LATERAL unnest(string_to_array(m.mentions, ' ')) AS u (member)
            WHERE m.kind IN (0, 1) AND m.deleted IS NULL AND m.mentions <> '' AND u.member <> m.sender),
        gone AS (
            DELETE FROM mentions x USING t WHERE x.conversation = t.conversation AND x.seq = t.seq
                AND NOT EXISTS (SELECT FROM said s WHERE s.member = x.member AND s.conversation = x.conversation AND s.seq = x.seq))
        INSERT INTO mentions (member, conversation, seq) SELECT * FROM said ON CONFLICT DO NOTHING
        """;

    // The index of words goes on behind the mark, so what came late is found once the mark stands before it.
    private const string MarkSql = """
        UPDATE search_marks k SET seq = late.seq
        FROM (SELECT conversation, min(seq) - 1 AS seq FROM unnest($1, $2) AS t (conversation, seq) GROUP BY conversation) late
        WHERE k.conversation = late.conversation AND k.seq > late.seq
        """;

    /// <param name="deleted">Messages that were deleted.</param>
    public static NpgsqlBatchCommand OfNewest(IEnumerable<(string Conversation, long Seq)> deleted) => ToCommand(NewestSql, deleted);

    /// <param name="messages">Messages whose mentions may have changed.</param>
    public static NpgsqlBatchCommand OfMentions(IEnumerable<(string Conversation, long Seq)> messages) => ToCommand(MentionsSql, messages);

    /// <param name="late">Messages that came after events with a higher seq.</param>
    public static NpgsqlBatchCommand OfMarks(IEnumerable<(string Conversation, long Seq)> late) => ToCommand(MarkSql, late);

    /// <param name="targets">Messages that edits or deletes refer to, and messages that came after events that may refer to them.</param>
    public static IEnumerable<NpgsqlBatchCommand> Of(IEnumerable<(string Conversation, long Target)> targets)
    {
        var rows = targets.ToList();
        yield return ToCommand(DeleteSql, rows);
        yield return ToCommand(EditSql, rows);
    }

    private static NpgsqlBatchCommand ToCommand(string sql, IEnumerable<(string Conversation, long Seq)> messages)
    {
        var rows = messages.Distinct().OrderBy(t => t.Conversation, StringComparer.Ordinal).ThenBy(t => t.Seq).ToList();
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Conversation);
        command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Seq);
        return command;
    }
}
