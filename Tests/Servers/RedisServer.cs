using AspireChat.Servers;
using StackExchange.Redis;

namespace AspireChat.Tests.Servers;

/// <summary>A <see cref="RunningRedis"/> as an xunit class fixture, or started by <see cref="StartAsync"/>.</summary>
public sealed class RedisServer : IAsyncLifetime, IAsyncDisposable
{
    private RunningRedis? _running;

    public int ProcessId => Running.ProcessId;

    public string ConnectionString => Running.ConnectionString;

    private RunningRedis Running => _running ?? throw new InvalidOperationException("The server was never started.");

    public static async Task<RedisServer> StartAsync()
    {
        var server = new RedisServer();
        await server.InitializeAsync();
        return server;
    }

    /// <summary>Starts the server, also after <see cref="KillAsync"/>.</summary>
    public async Task InitializeAsync()
    {
        if (_running is null)
        {
            _running = await RunningRedis.StartAsync();
        }
        else
        {
            await _running.StartAgainAsync();
        }
    }

    /// <summary>A multiplexer that survives outages of the server. <paramref name="admin"/> allows commands such as FLUSHALL.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsync(bool admin = true)
    {
        var options = ConfigurationOptions.Parse(ConnectionString);
        options.AbortOnConnectFail = false;
        options.AllowAdmin = admin;
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    /// <inheritdoc cref="RunningRedis.KillAsync"/>
    public Task KillAsync() => Running.KillAsync();

    /// <inheritdoc cref="RunningRedis.WipeAsync"/>
    public Task WipeAsync() => Running.WipeAsync();

    /// <inheritdoc cref="RunningRedis.BackUpAsync"/>
    public Task<string> BackUpAsync() => Running.BackUpAsync();

    /// <inheritdoc cref="RunningRedis.RollBackAsync"/>
    public Task RollBackAsync(string backup) => Running.RollBackAsync(backup);

    /// <inheritdoc cref="RunningRedis.SuspendAsync"/>
    public Task SuspendAsync() => Running.SuspendAsync();

    /// <inheritdoc cref="RunningRedis.ResumeAsync"/>
    public Task ResumeAsync() => Running.ResumeAsync();

    public ValueTask DisposeAsync() => _running?.DisposeAsync() ?? ValueTask.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();
}
