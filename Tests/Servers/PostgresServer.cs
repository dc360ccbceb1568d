using System.Globalization;
using AspireChat.Servers;
using Npgsql;

namespace AspireChat.Tests.Servers;

/// <summary>
/// A <see cref="RunningPostgres"/> for one test (<see cref="StartAsync"/>), or one for the whole process (<see cref="SharedAsync"/>), on
/// which each test has its own database.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> Shared = new(StartAsync);
    private static int databases;

    private readonly RunningPostgres _running;

    private PostgresServer(RunningPostgres running) => _running = running;

    public int ProcessId => _running.ProcessId;

    public static async Task<PostgresServer> StartAsync() => new(await RunningPostgres.StartAsync("tests"));

    /// <summary>One server for all tests that do not disturb it. Do not crash it, and use a database of your own.</summary>
    public static Task<PostgresServer> SharedAsync() => Shared.Value;

    /// <summary>The connection string of a database on this server, which need not exist yet.</summary>
    public string ConnectionString(string database) => _running.ConnectionStringOf(database);

    /// <summary>Creates an empty database and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = "test_" + Interlocked.Increment(ref databases).ToString(CultureInfo.InvariantCulture);
        // No pool, because a pooled connection to the template database would make the next CREATE DATABASE fail.
        await using var connection = new NpgsqlConnection(_running.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("CREATE DATABASE " + name, connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <inheritdoc cref="RunningPostgres.StartAgainAsync"/>
    public Task StartAgainAsync() => _running.StartAgainAsync();

    /// <inheritdoc cref="RunningPostgres.CrashAsync"/>
    public Task CrashAsync() => _running.CrashAsync();

    public ValueTask DisposeAsync() => _running.DisposeAsync();
}
