using System.Globalization;
using Npgsql;

namespace AspireChat.Tests.Servers;

/// <summary>
/// A PostgreSQL server of the tests' own: temporary data directory, free port, password. Use it as a class fixture, start one by
/// <see cref="StartAsync"/>, or take the process-wide <see cref="SharedAsync"/> and a database of your own. It can be killed and started
/// again on the same port and data. Needs <c>initdb</c> and <c>postgres</c> on the PATH or in Debian's version folders, and, as root, a
/// user
/// <c>postgres</c>.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime, IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> Shared = new(() => StartAsync());
    private static int databases;

    private readonly string _directory = ServerDirectory.NewPath("postgres");
    private ServerProcess? _process;

    public int Port { get; } = ServerProcess.FreePort();

    public int ProcessId => _process!.Id;

    public string Password { get; } = ServerProcess.NewPassword();

    /// <summary>
    /// Durable writes are off by default: a killed server loses nothing by that, only a machine that loses power does. Turn them on to
    /// measure. Set before the start.
    /// </summary>
    public bool Fsync { get; init; }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static string? User => Environment.UserName == "root" ? "postgres" : null;

    public static async Task<PostgresServer> StartAsync(bool fsync = false)
    {
        var server = new PostgresServer { Fsync = fsync };
        await server.InitializeAsync();
        return server;
    }

    /// <summary>One server for all tests that do not disturb it: do not kill it, and use a database of your own.</summary>
    public static Task<PostgresServer> SharedAsync() => Shared.Value;

    /// <summary>A connection string in the form that Aspire gives to a project.</summary>
    public string ConnectionString(string database = "postgres") =>
        $"Host=localhost;Port={Port};Username=postgres;Password={Password};Database={database}";

    /// <summary>Creates an empty database and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = "test_" + Interlocked.Increment(ref databases).ToString(CultureInfo.InvariantCulture);
        // Without the pool: a pooled connection to the template database would make the next CREATE DATABASE fail.
        await using var connection = new NpgsqlConnection(ConnectionString() + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("CREATE DATABASE " + name, connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    public async Task InitializeAsync()
    {
        var data = Path.Combine(_directory, "data");
        if (!Directory.Exists(_directory))
        {
            await ServerProcess.RunAsync(User is { } owner
                ? ["install", "-d", "-m", "700", "-o", owner, "-g", owner, _directory]
                : ["install", "-d", "-m", "700", _directory]);
            var password = Path.GetTempFileName();
            await File.WriteAllTextAsync(password, Password);
            await ServerProcess.RunAsync(["chmod", "644", password]);
            await ServerProcess.RunAsync(
            [
                Program("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--locale",
                "C", "--no-sync",
            ], User);
            File.Delete(password);
        }
        _process = await ServerProcess.StartAsync(
        [
            Program("postgres"), "-D", data, "-p", Port.ToString(CultureInfo.InvariantCulture), "-k", _directory,
            "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "fsync=" + (Fsync ? "on" : "off"),
        ], "database system is ready to accept connections", User, "QUIT");
    }

    /// <summary>
    /// Immediate shutdown: like a crash to every client and to the data, but without the shared memory that kill -9 leaves behind.
    /// <see cref="InitializeAsync"/> starts the server again.
    /// </summary>
    public async Task CrashAsync()
    {
        await _process!.EndAsync("QUIT");
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await CrashAsync();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    private static string Program(string name)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(version => version.Length)
                .ThenByDescending(version => version)
                .Select(version => Path.Combine(version, "bin", name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"{name} is neither on the PATH nor in /usr/lib/postgresql: install PostgreSQL.");
    }
}
