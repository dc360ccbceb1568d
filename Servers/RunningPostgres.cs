using System.Security.Cryptography;

namespace AspireChat.Servers;

/// <summary>
/// A PostgreSQL server for one test or one measurement: as <see cref="PostgresData"/> makes it, with a password, on a port that it keeps,
/// in a temporary folder. It ends with this process. Not thread-safe.
/// </summary>
public sealed class RunningPostgres : IAsyncDisposable
{
    private readonly string _folder = TemporaryFolder.Create("postgres");
    private readonly PostgresData _data;
    private readonly string _database;
    private readonly IReadOnlyList<string> _settings;
    private ServerProcess? _process;

    private RunningPostgres(string database, bool durable, IReadOnlyList<string> settings)
    {
        _data = new PostgresData(Path.Combine(_folder, "data"), database, durable: durable);
        _database = database;
        _settings = durable ? settings : ["fsync=off", .. settings];
    }

    public int Port { get; } = Ports.Free();

    public string Password { get; } = RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>As a service gets it.</summary>
    public string ConnectionString => ConnectionStringOf(_database);

    /// <summary>Of the server's first process, whose children are its sessions.</summary>
    /// <exception cref="InvalidOperationException">It does not run.</exception>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("The PostgreSQL server does not run.");

    /// <summary>Starts a server with one empty database and returns once it is ready.</summary>
    /// <param name="durable"> True for the settings that PostgreSQL comes with, fsync and synchronous_commit on: to measure. A killed
    /// server loses nothing without them, only a machine that loses power does. </param>
    /// <param name="settings">More of them, such as <c>max_connections=500</c>.</param>
    /// <exception cref="ServerException">PostgreSQL or its user is missing, or it did not start; the message holds what it
    /// said.</exception>
    public static async Task<RunningPostgres> StartAsync(
        string database = "chatdb", bool durable = false, IReadOnlyList<string>? settings = null,
        CancellationToken cancellationToken = default)
    {
        var postgres = new RunningPostgres(database, durable, settings ?? []);
        await postgres.StartAgainAsync(cancellationToken).ConfigureAwait(false);
        return postgres;
    }

    /// <summary>Of another database that somebody has made on this server.</summary>
    public string ConnectionStringOf(string database) =>
        $"Host=localhost;Port={Port};Username={PostgresData.UserName};Password={Password};Database={database}";

    /// <summary>After <see cref="CrashAsync"/>: on the same port, with the same data.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        var command = await _data.PrepareAsync(Port, Password, _settings, cancellationToken).ConfigureAwait(false);
        _process = await ServerProcess.StartAsync(
            command, "QUIT", "database system is ready to accept connections", cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Immediate shutdown: like a crash to every client and to the data, but without the shared memory that kill -9 leaves behind.
    /// <see cref="StartAgainAsync"/> starts the server again. Does nothing when it does not run.
    /// </summary>
    public async Task CrashAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        await process.EndAsync("QUIT").ConfigureAwait(false);
        await process.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await CrashAsync().ConfigureAwait(false);
        TemporaryFolder.Delete(_folder);
    }
}
