using Npgsql;
using StackExchange.Redis;

namespace AspireChat.Tests.Servers;

public sealed class ServerTests
{
    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Redis_keeps_its_data_when_killed_and_loses_it_when_wiped()
    {
        await using var server = await RedisServer.StartAsync();
        await using (var redis = await server.ConnectAsync())
        {
            Assert.True(await redis.GetDatabase().StringSetAsync("a", "1"));
            await redis.GetDatabase().ExecuteAsync("CLIENT", "ID");
        }
        await server.KillAsync();
        await server.InitializeAsync();
        await using (var redis = await server.ConnectAsync())
            Assert.Equal("1", (string?)await redis.GetDatabase().StringGetAsync("a"));
        await server.WipeAsync();
        await using (var redis = await server.ConnectAsync())
            Assert.Equal(RedisValue.Null, await redis.GetDatabase().StringGetAsync("a"));
    }

    [Fact]
    [Trait("Needs", "PostgreSQL")]
    public async Task Postgres_keeps_what_is_committed_over_a_crash()
    {
        await using var server = await PostgresServer.StartAsync();
        var database = await server.CreateDatabaseAsync();
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await using var command = source.CreateCommand("CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
            await command.ExecuteNonQueryAsync();
        }
        await server.CrashAsync();
        await server.InitializeAsync();
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await using var command = source.CreateCommand("SELECT n FROM t");
            Assert.Equal(7, await command.ExecuteScalarAsync());
        }
    }
}
