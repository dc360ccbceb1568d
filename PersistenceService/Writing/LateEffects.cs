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
            UPDATE events e SET content = '', deleted = dead.by FROM dead
            WHERE e.conversation = dead.conversation AND e.target = dead.seq AND e.kind = 2 AND e.deleted IS DISTINCT FROM dead.by)
        UPDATE events m SET content = '', deleted = dead.by FROM dead
        WHERE m.conversation = dead.conversation AND m.seq = dead.seq AND m.deleted IS DISTINCT FROM dead.by
        """;

    // The last edit by the author wins. It is looked for among the edits of the message (events_edits), never among all events of the author,
    // who may have millions: that is what the empty text is for.
    private const string EditSql = """
        UPDATE events m SET content = last.content, edited = last.seq
        FROM (
            SELECT m.conversation, m.seq AS target, e.seq, e.content
            FROM unnest($1, $2) AS t (conversation, target)
            JOIN events m ON m.conversation = t.conversation AND m.seq = t.target AND m.kind IN (0, 1)
            CROSS JOIN LATERAL (
                SELECT seq, content FROM events e
                WHERE e.conversation = t.conversation AND e.target = t.target AND e.kind = 2 AND e.sender || '' = m.sender
                ORDER BY seq DESC LIMIT 1) e) last
        WHERE m.conversation = last.conversation AND m.seq = last.target
            AND m.deleted IS NULL AND (m.edited IS NULL OR m.edited < last.seq)
        """;

    /// <param name="targets">Messages that edits or deletes refer to, and messages that came after events that may refer to them.</param>
    public static IEnumerable<NpgsqlBatchCommand> Of(IEnumerable<(string Conversation, long Target)> targets)
    {
        var rows = targets.Distinct().OrderBy(t => t.Conversation, StringComparer.Ordinal).ThenBy(t => t.Target).ToList();
        foreach (var sql in (string[])[DeleteSql, EditSql])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddArray(NpgsqlDbType.Text, rows, row => row.Conversation);
            command.Parameters.AddArray(NpgsqlDbType.Bigint, rows, row => row.Target);
            yield return command;
        }
    }
}
