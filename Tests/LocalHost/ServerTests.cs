using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Tests.LocalHost;

[Trait("Needs", "System")]
public sealed class ServerTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    private string DataArgument => $"--LocalHost:DataDirectory={_directory}";

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Killed_redis_comes_back_on_its_port_with_every_acknowledged_write()
    {
        await using var run = await HostRun.StartAsync(builder => builder.AddRedis("redis"));
        await run.States.WaitForResourceHealthyAsync("redis", run.Patience);
        var connectionString = (await run.App.GetConnectionStringAsync("redis", run.Patience))!;
        await using (var before = await ConnectionMultiplexer.ConnectAsync(connectionString))
        {
            await before.GetDatabase().StringSetAsync("k", "v");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        var pid = run.Pid("redis");
        Processes.Kill(pid);
        await run.States.WaitForResourceAsync(
            "redis",
            e => e.Snapshot.Properties.Any(p => p.Name == "executable.pid" && !pid.Equals(p.Value)) &&
                e.Snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy,
            run.Patience);

        await using var after = await ConnectionMultiplexer.ConnectAsync(connectionString);
        Assert.Equal("v", (string?)await after.GetDatabase().StringGetAsync("k"));
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Crashed_server_stays_down_when_restarts_are_turned_off()
    {
        await using var run = await HostRun.StartAsync(builder => builder.AddRedis("redis"), "--LocalHost:RestartCrashed=false");
        await run.States.WaitForResourceHealthyAsync("redis", run.Patience);
        Processes.Kill(run.Pid("redis"));

        var ended = await run.EndOfAsync("redis");

        Assert.Equal(137, ended.Snapshot.ExitCode);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            run.States.WaitForResourceAsync("redis", KnownResourceStates.Starting,
                new CancellationTokenSource(TimeSpan.FromSeconds(1)).Token));
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Stop_and_start_commands_hold_a_resource_down_and_let_it_up()
    {
        await using var run = await HostRun.StartAsync(builder => builder.AddRedis("redis"));
        await run.States.WaitForResourceHealthyAsync("redis", run.Patience);
        var first = run.Pid("redis");

        Assert.True((await run.App.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.StopCommand, run.Patience)).Success);
        Assert.False(Processes.Runs(first));
        Assert.True(run.States.TryGetCurrentState("redis", out var stopped));
        Assert.Contains(stopped.Snapshot.State!.Text, KnownResourceStates.TerminalStates);

        Assert.True((await run.App.ResourceCommands.ExecuteCommandAsync("redis", KnownResourceCommands.StartCommand,
            run.Patience)).Success);
        await run.States.WaitForResourceHealthyAsync("redis", run.Patience);
        Assert.NotEqual(first, run.Pid("redis"));
        Assert.False((await run.App.ResourceCommands.ExecuteCommandAsync("nobody", KnownResourceCommands.StopCommand,
            run.Patience)).Success);
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Passwords_are_on_no_command_line_and_in_no_readable_file()
    {
        await using var run = await HostRun.StartAsync(builder => builder.AddRedis("redis"), DataArgument);
        await run.States.WaitForResourceHealthyAsync("redis", run.Patience);
        var password = (await run.App.GetConnectionStringAsync("redis", run.Patience))!.Split("password=")[1];

        Assert.DoesNotContain(password, await File.ReadAllTextAsync($"/proc/{run.Pid("redis")}/cmdline"), StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories)
            .Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
            if (!OperatingSystem.IsWindows() && (await File.ReadAllTextAsync(file)).Contains(password, StringComparison.Ordinal))
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    [Trait("Needs", "PostgreSQL")]
    public async Task Data_and_passwords_survive_from_run_to_run()
    {
        string? first;
        await using (var run = await HostRun.StartAsync(Model, DataArgument))
        {
            await run.States.WaitForResourceHealthyAsync("db", run.Patience);
            first = await run.App.GetConnectionStringAsync("db", run.Patience);
            await ExecuteAsync(first, "CREATE TABLE t (v text); INSERT INTO t VALUES ('kept')", run.Patience);
        }

        await using (var run = await HostRun.StartAsync(Model, DataArgument))
        {
            await run.States.WaitForResourceHealthyAsync("db", run.Patience);
            var second = await run.App.GetConnectionStringAsync("db", run.Patience);
            Assert.Equal(new NpgsqlConnectionStringBuilder(first).Password, new NpgsqlConnectionStringBuilder(second).Password);
            Assert.Equal("kept", await ExecuteAsync(second, "SELECT v FROM t", run.Patience));
        }

        static void Model(IDistributedApplicationBuilder builder) => builder.AddPostgres("postgres").WithDataVolume().AddDatabase("db");
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Second_host_on_the_same_data_is_refused_and_told_which_process_has_it()
    {
        await using var run = await HostRun.StartAsync(builder => builder.AddRedis("redis"), DataArgument);

        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(() => HostRun
            .StartAsync(builder => builder.AddRedis("redis"), DataArgument));

        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres", "notes.txt", "1", "holds 'notes.txt' but no PostgreSQL data")]
    [InlineData("postgres", "PG_VERSION", "9.6\n", "was made by PostgreSQL 9.6, but installed is")]
    [InlineData("redis", "notes.txt", "1", "holds 'notes.txt', which is not Redis data")]
    public async Task Foreign_data_is_not_touched(string server, string file, string content, string says)
    {
        var foreign = Path.Combine(_directory, server, file);
        Directory.CreateDirectory(Path.GetDirectoryName(foreign)!);
        await File.WriteAllTextAsync(foreign, content);

        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(() => HostRun.StartAsync(
            builder =>
            {
                builder.AddPostgres("postgres");
                builder.AddRedis("redis");
            },
            DataArgument));

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Equal(content, await File.ReadAllTextAsync(foreign));
    }

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    private static async Task<object?> ExecuteAsync(string? connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(connectionString!);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
