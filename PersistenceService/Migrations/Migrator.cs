using AspireChat.ServiceDefaults;
using Npgsql;

namespace AspireChat.PersistenceService.Migrations;

/// <summary>Brings the schema up to date. Several replicas may call it at once: one works, the others wait and find it done.</summary>
internal sealed partial class Migrator(NpgsqlDataSource database, TimeProvider time, ILogger<Migrator> logger)
{
    /// <summary>Any number, the same for all replicas.</summary>
    private const long Lock = 0x_4153_5043_4841_54;

    /// <summary>Runs the steps that are missing, each in a transaction of its own.</summary>
    public async Task RunAsync(IReadOnlyList<Migration> steps, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        foreach (var step in steps)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await IsMissingAsync(connection, step, cancellationToken))
            {
                await ExecuteAsync(connection, step.Sql, cancellationToken);
                await using var note = new NpgsqlCommand(
                    "INSERT INTO schema_version (version, name, applied_at) VALUES ($1, $2, $3)", connection)
                {
                    Parameters =
                    {
                        new() { Value = step.Version },
                        new() { Value = step.Name },
                        new() { Value = time.GetUtcNow().UtcDateTime },
                    },
                };
                await note.ExecuteNonQueryAsync(cancellationToken);
                Applied(logger, step.Name);
            }
            await transaction.CommitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Gives the writing role what it needs with each table, and takes away what it had beyond that. Does nothing where that role does not
    /// exist, because one role does everything. A step that adds a table adds a line here.
    /// </summary>
    public async Task GrantAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({Lock})", cancellationToken);
        await ExecuteAsync(
            connection,
            """
            DO $$
            BEGIN
                IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aspirechat_writer' AND rolname <> current_user) THEN
                    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM aspirechat_writer;
                    GRANT SELECT, INSERT, UPDATE ON users TO aspirechat_writer;
                    GRANT SELECT, INSERT, UPDATE ON partitions, conversations, members, rooms, restrictions TO aspirechat_writer;
                    -- What was written stays, but for what an edit or a deletion changes.
                    GRANT SELECT, INSERT, UPDATE (content, edited, deleted) ON events TO aspirechat_writer;
                END IF;
            END
            $$
            """,
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<bool> IsMissingAsync(NpgsqlConnection connection, Migration step, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({Lock})", cancellationToken);
        await ExecuteAsync(
            connection,
            "CREATE TABLE IF NOT EXISTS schema_version (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)",
            cancellationToken);
        await using var known = new NpgsqlCommand("SELECT 1 FROM schema_version WHERE version = $1", connection)
        {
            Parameters = { new() { Value = step.Version } },
        };
        return await known.ExecuteScalarAsync(cancellationToken) is null;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogEvents.Persistence + 0, LogLevel.Information, "Schema step {Name} applied")]
    private static partial void Applied(ILogger logger, string name);
}
