using System.Globalization;
using StackExchange.Redis;

namespace AspireChat.Tests.Servers;

/// <summary>
/// A redis-server of the tests' own: temporary directory, free port, password, AOF as in production. Use it as a class fixture, or start
/// one by <see cref="StartAsync"/>. It can be killed and started again on the same port and data. Needs <c>redis-server</c> on the PATH.
/// </summary>
public sealed class RedisServer : IAsyncLifetime, IAsyncDisposable
{
    private readonly string _directory = Directory.CreateDirectory(ServerDirectory.NewPath("redis")).FullName;
    private ServerProcess? _process;

    public int Port { get; } = ServerProcess.FreePort();

    public int ProcessId => _process!.Id;

    public string Password { get; } = ServerProcess.NewPassword();

    /// <summary>In the form that Aspire gives to a project.</summary>
    public string ConnectionString => $"localhost:{Port},password={Password}";

    /// <summary>Extra command-line settings, e.g. <c>--maxmemory 64mb</c>; set before the start.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        var server = new RedisServer { Settings = settings };
        await server.InitializeAsync();
        return server;
    }

    /// <summary>A multiplexer that survives the server's absence. <paramref name="admin"/> allows FLUSHALL and the like.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsync(bool admin = true)
    {
        var options = ConfigurationOptions.Parse(ConnectionString);
        options.AbortOnConnectFail = false;
        options.AllowAdmin = admin;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    public async Task InitializeAsync() => _process = await ServerProcess.StartAsync(
    [
        "redis-server", "--bind", "127.0.0.1", "--port", Port.ToString(CultureInfo.InvariantCulture), "--dir", _directory,
        "--requirepass", Password, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", .. Settings,
    ], "Ready to accept connections");

    /// <summary>kill -9. The data stays; <see cref="InitializeAsync"/> starts the server again.</summary>
    public async Task KillAsync()
    {
        await _process!.EndAsync("KILL");
        _process.Dispose();
        _process = null;
    }

    /// <summary>kill -9 and an empty server in its place, as after a lost volume.</summary>
    public async Task WipeAsync()
    {
        await KillAsync();
        Directory.Delete(_directory, recursive: true);
        Directory.CreateDirectory(_directory);
        await InitializeAsync();
    }

    /// <summary>Copies the data as it is now, for <see cref="RollBackAsync"/>.</summary>
    public async Task<string> BackUpAsync()
    {
        var copy = Directory.CreateDirectory(ServerDirectory.NewPath("redis")).FullName;
        await ServerProcess.RunAsync(["cp", "-a", _directory + "/.", copy]);
        return copy;
    }

    /// <summary>kill -9 and a server with the data of a backup in its place, as after a failover to a replica that was behind.</summary>
    public async Task RollBackAsync(string backup)
    {
        await KillAsync();
        Directory.Delete(_directory, recursive: true);
        Directory.Move(backup, _directory);
        await InitializeAsync();
    }

    /// <summary>SIGSTOP: the server neither answers nor closes its sockets, until <see cref="ResumeAsync"/>.</summary>
    public Task SuspendAsync() => _process!.SignalAsync("STOP");

    public Task ResumeAsync() => _process!.SignalAsync("CONT");

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        _process = null;
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();
}
