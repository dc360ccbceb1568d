using AspireChat.PersistenceService.Migrations;
using AspireChat.Tests.Servers;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "System")]
public sealed class MigrationTests
{
    [Fact]
    public async Task Replicas_that_start_together_migrate_once()
    {
        var server = await PostgresServer.SharedAsync();
        await using var source = NpgsqlDataSource.Create(await server.CreateDatabaseAsync());
        // A step that fails when it runs twice.
        Migration[] steps = [new(1, "0001_once", "CREATE TABLE once (n int)"), new(2, "0002_twice", "CREATE TABLE twice (n int)")];
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ =>
            new Migrator(source, TimeProvider.System, NullLogger<Migrator>.Instance).RunAsync(steps, CancellationToken.None)));
        await using var command = source.CreateCommand("SELECT count(*) FROM schema_version");
        Assert.Equal(2L, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_behind()
    {
        var server = await PostgresServer.SharedAsync();
        await using var source = NpgsqlDataSource.Create(await server.CreateDatabaseAsync());
        Migration[] steps = [new(1, "0001_half", "CREATE TABLE half (n int); SELECT 1 / 0")];
        var migrator = new Migrator(source, TimeProvider.System, NullLogger<Migrator>.Instance);
        await Assert.ThrowsAsync<PostgresException>(() => migrator.RunAsync(steps, CancellationToken.None));
        await using var command = source.CreateCommand("SELECT to_regclass('half') IS NULL");
        Assert.Equal(true, await command.ExecuteScalarAsync());
    }

    [Fact]
    public void Versions_are_numbered_without_gaps() =>
        Assert.Equal(Enumerable.Range(1, Migration.All.Count), Migration.All.Select(step => step.Version));

    [Fact]
    public async Task The_service_starts_before_its_servers_and_creates_its_database()
    {
        await using var world = await PersistenceWorld.CreateAsync(ownPostgres: true);
        await world.Postgres.CrashAsync();
        await world.RedisServer.KillAsync();
        var service = await world.StartServiceAsync(settings =>
            settings["ConnectionStrings:chatdb"] = world.Postgres.ConnectionString("not_there_yet"));
        using (var early = await service.GetAsync("/health"))
        {
            Assert.False(early.IsSuccessStatusCode);
        }

        await world.Postgres.StartAgainAsync();
        await world.RedisServer.InitializeAsync();
        await world.OpenedAsync();
        await Eventually.IsTrueAsync(
            async () =>
            {
                using var ready = await service.GetAsync("/health");
                return ready.IsSuccessStatusCode;
            },
            "ready");
    }
}
