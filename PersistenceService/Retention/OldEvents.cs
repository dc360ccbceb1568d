using AspireChat.Contracts.Conversations;
using Npgsql;

namespace AspireChat.PersistenceService.Retention;

/// <param name="Before">Events of earlier moments are too old.</param>
internal readonly record struct OldConversation(ConversationKey Conversation, DateTime Before);

/// <summary>Finds and deletes events that are too old. Thread-safe; throws <see cref="NpgsqlException"/> when PostgreSQL cannot be asked.</summary>
internal sealed class OldEvents(NpgsqlDataSource database)
{
    /// <summary>Rows of one transaction.</summary>
    private const int RowsPerCall = 200;

    /// <summary>Conversations that one query looks at.</summary>
    private const int ConversationsPerCall = 5_000;

    /// <summary>Any number, the same for all replicas: one of them sweeps at a time.</summary>
    private const long Lock = 0x_4153_5052_4554;

    // The first event of a conversation is its oldest. Where it is young enough, nothing else is looked at.
    private const string FindSql = """
        SELECT c.conversation, CASE WHEN f.created_at < c.before THEN c.before END
        FROM (
            SELECT c.conversation, $2::timestamptz - make_interval(days => COALESCE(r.retention_days, NULLIF($3, 0))) AS before
            FROM conversations c LEFT JOIN rooms r ON r.conversation = c.conversation
            WHERE c.conversation > $1 ORDER BY c.conversation LIMIT $4) c
        LEFT JOIN LATERAL (SELECT created_at FROM events e WHERE e.conversation = c.conversation ORDER BY seq LIMIT 1) f ON true
        ORDER BY c.conversation
        """;

    private const string DeleteSql = """
        WITH oldest AS (SELECT seq, created_at FROM events WHERE conversation = $1 ORDER BY seq LIMIT $3),
        gone AS (
            DELETE FROM events e USING oldest o
            WHERE e.conversation = $1 AND e.seq = o.seq AND o.created_at < $2
                AND NOT EXISTS (SELECT FROM oldest y WHERE y.seq < o.seq AND y.created_at >= $2)
            RETURNING e.seq),
        found AS (DELETE FROM search s USING gone g WHERE s.conversation = $1 AND s.seq = g.seq),
        mentioned AS (DELETE FROM mentions x USING gone g WHERE x.conversation = $1 AND x.seq = g.seq)
        SELECT count(*), COALESCE(max(seq), 0) FROM gone
        """;

    /// <summary>The connection that holds the right to sweep; null: another replica has it. Closing it gives the right back.</summary>
    public async Task<NpgsqlConnection?> TryBeginAsync(CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = Lock } } };
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                return connection;
            }
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
        await connection.DisposeAsync();
        return null;
    }

    /// <summary>Looks at the next conversations in byte order.</summary>
    /// <param name="days">Of conversations without a time of their own; 0: for ever.</param>
    /// <returns>Those that have events that are too old, and the last one looked at; null at the end.</returns>
    public async Task<(List<OldConversation> Found, string? Last)> FindAsync(
        string after, DateTime now, int days, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(FindSql);
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = days });
        command.Parameters.Add(new() { Value = (long)ConversationsPerCall });
        var found = new List<OldConversation>();
        string? last = null;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.GetString(0);
            if (!reader.IsDBNull(1) && ConversationKey.TryParse(last, out var conversation))
            {
                found.Add(new OldConversation(conversation, reader.GetDateTime(1)));
            }
        }
        return (found, last);
    }

    /// <summary>Deletes the oldest events of a conversation, at most a thousand.</summary>
    /// <returns>The last seq that is gone, and whether there may be more.</returns>
    public async Task<(long Last, bool More)> DeleteAsync(OldConversation old, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(DeleteSql);
        command.Parameters.Add(new() { Value = old.Conversation.Value });
        command.Parameters.Add(new() { Value = old.Before });
        command.Parameters.Add(new() { Value = (long)RowsPerCall });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(1), reader.GetInt64(0) == RowsPerCall);
    }
}
