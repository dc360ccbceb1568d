using System.Security.Cryptography;

namespace AspireChat.Servers;

/// <summary>
/// A redis-server for one test or one measurement: as <see cref="RedisData"/> configures it, with a password, on a port that it keeps, in a
/// temporary folder. It ends with this process. Not thread-safe.
/// </summary>
public sealed class RunningRedis : IAsyncDisposable
{
    private readonly string _folder = TemporaryFolder.Create("redis");
    private readonly string _path;
    private readonly RedisData _data;
    private readonly IReadOnlyList<string> _directives;
    private ServerProcess? _process;

    private RunningRedis(IReadOnlyList<string> directives)
    {
        _path = Path.Combine(_folder, "data");
        _data = new RedisData(_path);
        _directives = directives;
    }

    public int Port { get; } = Ports.Free();

    public string Password { get; } = RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>As a service gets it.</summary>
    public string ConnectionString => $"localhost:{Port},password={Password}";

    /// <exception cref="InvalidOperationException">It does not run.</exception>
    public int ProcessId => Process.Id;

    private ServerProcess Process => _process ?? throw new InvalidOperationException("The redis-server does not run.");

    /// <summary>Starts an empty server and returns once it is ready.</summary>
    /// <param name="directives">More lines of redis.conf, such as <c>appendfsync always</c> or <c>maxmemory 64mb</c>.</param>
    /// <exception cref="ServerException">redis-server is not installed, or it did not start; the message holds what it said.</exception>
    public static async Task<RunningRedis> StartAsync(
        IReadOnlyList<string>? directives = null, CancellationToken cancellationToken = default)
    {
        var redis = new RunningRedis(directives ?? []);
        await redis.StartAgainAsync(cancellationToken).ConfigureAwait(false);
        return redis;
    }

    /// <summary>After <see cref="KillAsync"/>: on the same port, with the same data.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        var command = await _data.PrepareAsync(Port, Password, _directives, cancellationToken).ConfigureAwait(false);
        _process = await ServerProcess.StartAsync(command, "KILL", "Ready to accept connections", cancellationToken: cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>kill -9. The data stays for <see cref="StartAgainAsync"/>. Does nothing when it does not run.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        await process.KillAsync().ConfigureAwait(false);
        await process.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>kill -9 and an empty server in its place, as after a lost volume.</summary>
    public async Task WipeAsync()
    {
        await KillAsync().ConfigureAwait(false);
        Directory.Delete(_path, recursive: true);
        await StartAgainAsync().ConfigureAwait(false);
    }

    /// <summary>Copies the data as it is now, for <see cref="RollBackAsync"/>.</summary>
    public async Task<string> BackUpAsync()
    {
        var copy = TemporaryFolder.Create("redis-backup");
        var (exitCode, output) = await new ServerCommand("cp", ["-a", _path + "/.", copy], _folder)
            .RunAsync("", CancellationToken.None).ConfigureAwait(false);
        return exitCode == 0 ? copy : throw new ServerException($"{_path} was not copied: {output.Trim()}");
    }

    /// <summary>kill -9 and a server with the data of a backup in its place, as after a failover to a replica that was behind.</summary>
    public async Task RollBackAsync(string backup)
    {
        await KillAsync().ConfigureAwait(false);
        Directory.Delete(_path, recursive: true);
        Directory.Move(backup, _path);
        await StartAgainAsync().ConfigureAwait(false);
    }

    /// <summary>SIGSTOP: the server neither answers nor closes its sockets, until <see cref="ResumeAsync"/>.</summary>
    public Task SuspendAsync() => Process.SignalAsync("STOP");

    public Task ResumeAsync() => Process.SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        await KillAsync().ConfigureAwait(false);
        TemporaryFolder.Delete(_folder);
    }
}
