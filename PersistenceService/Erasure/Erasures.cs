using Npgsql;

namespace AspireChat.PersistenceService.Erasure;

internal enum ErasureStatus : short
{
    Running,
    Done,
    Failed,
}

/// <summary>An operator's order to erase a user, and how far it has come.</summary>
/// <param name="Place">The last conversation that is finished.</param>
/// <param name="Erased">Messages and edits that have lost their content.</param>
internal sealed record Erasure(Guid Id, string User, ErasureStatus Status, string Place, long Erased);

/// <summary>
/// The table of erasures. An order survives the replica that took it: <see cref="TakeAsync"/> gives it to another. Thread-safe; throws
/// <see cref="NpgsqlException"/> when PostgreSQL cannot be asked.
/// </summary>
internal sealed class Erasures(NpgsqlDataSource database, TimeProvider time)
{
    private const string AddSql = """
        INSERT INTO erasures (id, subject, status, place, erased, asked_at, touched_at) VALUES ($1, $2, 0, '', 0, $3, $4)
        ON CONFLICT (subject) WHERE status = 0 DO UPDATE SET touched_at = erasures.touched_at
        RETURNING id
        """;

    private const string TakeSql = """
        UPDATE erasures SET touched_at = $1
        WHERE id = (SELECT id FROM erasures WHERE status = 0 AND touched_at < $2 ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, subject, status, place, erased
        """;

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Orders the erasure. While one of the same user runs, it is that one.</summary>
    /// <returns>Its id.</returns>
    public async Task<Guid> AddAsync(string user, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(AddSql);
        command.Parameters.Add(new() { Value = Guid.CreateVersion7(time.GetUtcNow()) });
        command.Parameters.Add(new() { Value = user });
        command.Parameters.Add(new() { Value = Now });
        // Free to be taken at once.
        command.Parameters.Add(new() { Value = DateTime.UnixEpoch });
        return (Guid)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<Erasure?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT id, subject, status, place, erased FROM erasures WHERE id = $1");
        command.Parameters.Add(new() { Value = id });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Takes the oldest order that nobody has touched for as long; null when there is none.</summary>
    public async Task<Erasure?> TakeAsync(TimeSpan untouched, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(TakeSql);
        command.Parameters.Add(new() { Value = Now });
        command.Parameters.Add(new() { Value = Now - untouched });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Notes how far the work has come, and that somebody is at it.</summary>
    public async Task NoteAsync(Guid id, ErasureStatus status, string place, long erased, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "UPDATE erasures SET status = $2, place = $3, erased = $4, touched_at = $5 WHERE id = $1 AND status = 0");
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = (short)status });
        command.Parameters.Add(new() { Value = place });
        command.Parameters.Add(new() { Value = erased });
        command.Parameters.Add(new() { Value = Now });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<Erasure?> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new Erasure(
                reader.GetGuid(0), reader.GetString(1), (ErasureStatus)reader.GetInt16(2), reader.GetString(3), reader.GetInt64(4))
            : null;
    }
}
