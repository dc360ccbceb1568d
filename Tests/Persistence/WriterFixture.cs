using System.Diagnostics.Metrics;
using AspireChat.PersistenceService;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AspireChat.Tests.Persistence;

/// <summary>A database with the schema, and what writes into it.</summary>
internal sealed class WriterFixture : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    private WriterFixture(NpgsqlDataSource source)
    {
        Source = source;
        Writer = new BatchWriter(source, TimeProvider.System);
        Persister = new LogPersister(
            new GroupCommit(Writer, Options.Create(new PersistenceOptions())),
            new WritingMetrics(_services.GetRequiredService<IMeterFactory>()),
            TimeProvider.System,
            NullLogger<LogPersister>.Instance);
    }

    public NpgsqlDataSource Source { get; }

    public BatchWriter Writer { get; }

    public LogPersister Persister { get; }

    public static async Task<WriterFixture> CreateAsync()
    {
        var server = await PostgresServer.SharedAsync();
        var source = NpgsqlDataSource.Create(await server.CreateDatabaseAsync());
        await new Migrator(source, TimeProvider.System, NullLogger<Migrator>.Instance).RunAsync(Migration.All, CancellationToken.None);
        return new WriterFixture(source);
    }

    public Task<IReadOnlyList<Conflict>> WriteAsync(params LogEntry[] entries) =>
        Writer.WriteAsync([new PartitionBatch(0, entries, entries[^1].Position)], CancellationToken.None);

    public async Task<List<T>> RowsAsync<T>(string sql, Func<NpgsqlDataReader, T> row)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(row(reader));
        }

        return rows;
    }

    /// <summary>The whole content of events, conversations and members, as text to compare.</summary>
    public async Task<string> DumpAsync()
    {
        var rows = await RowsAsync(
            """
            SELECT concat_ws('|', conversation, seq, id, kind, sender, nonce, target, edited, deleted, content, emoji, removes) FROM events
            UNION ALL SELECT concat_ws('|', 'c', conversation, head) FROM conversations
            UNION ALL SELECT concat_ws('|', 'm', conversation, member, joined, read, changed) FROM members
            ORDER BY 1
            """,
            reader => reader.GetString(0));
        return string.Join('\n', rows);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _services.DisposeAsync();
    }
}
