using AspireChat.Servers;
using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Tests.Servers;

public sealed class RunningServerTests
{
    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Redis_keeps_its_data_when_killed_and_loses_it_when_wiped()
    {
        await using var server = await RunningRedis.StartAsync();
        await SetAsync(server, "1");
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal("1", await GetAsync(server));
        await server.WipeAsync();
        Assert.Null(await GetAsync(server));
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Redis_rolled_back_has_what_it_had_at_the_backup()
    {
        await using var server = await RunningRedis.StartAsync(["appendfsync always"]);
        await SetAsync(server, "before");
        var backup = await server.BackUpAsync();
        await SetAsync(server, "after");
        await server.RollBackAsync(backup);
        Assert.Equal("before", await GetAsync(server));
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Redis_that_cannot_start_says_why_in_one_line()
    {
        var refused = await Assert.ThrowsAsync<ServerException>(() => RunningRedis.StartAsync(["no-such-directive 1"]));

        Assert.Contains("redis-server ended with code 1 at its start", refused.Message, StringComparison.Ordinal);
        Assert.Contains("no-such-directive", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    [Trait("Needs", "PostgreSQL")]
    public async Task Postgres_keeps_what_is_committed_over_a_crash()
    {
        await using var server = await RunningPostgres.StartAsync();
        await using (var source = NpgsqlDataSource.Create(server.ConnectionString))
        {
            await using var command = source.CreateCommand("CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
            await command.ExecuteNonQueryAsync();
        }
        await server.CrashAsync();
        await server.StartAgainAsync();
        await using (var source = NpgsqlDataSource.Create(server.ConnectionString))
        {
            await using var command = source.CreateCommand("SELECT n FROM t");
            Assert.Equal(7, await command.ExecuteScalarAsync());
        }
    }

    [Theory]
    [Trait("Needs", "PostgreSQL")]
    [InlineData(true, "on")]
    [InlineData(false, "off")]
    public async Task Postgres_writes_durably_only_when_asked_to(bool durable, string fsync)
    {
        await using var server = await RunningPostgres.StartAsync(durable: durable, settings: ["max_connections=17"]);
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(
            "SELECT current_setting('fsync') || ' ' || current_setting('synchronous_commit') || ' ' || current_setting('max_connections')");
        Assert.Equal($"{fsync} on 17", await command.ExecuteScalarAsync());
    }

    private static async Task SetAsync(RunningRedis server, string value)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        Assert.True(await redis.GetDatabase().StringSetAsync("a", value));
    }

    private static async Task<string?> GetAsync(RunningRedis server)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        return await redis.GetDatabase().StringGetAsync("a");
    }
}
