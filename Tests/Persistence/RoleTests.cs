using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Servers;
using AspireChat.Tests.Log;
using AspireChat.Tests.ServiceDefaults;
using Npgsql;

namespace AspireChat.Tests.Persistence;

/// <summary>PersistenceService as it is deployed: one role migrates, another one works.</summary>
[Trait("Needs", "System")]
public sealed class RoleTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly PostgresRoles Roles = new("the owner's", "the writer's");

    [Fact]
    public async Task The_service_works_as_a_writer_who_can_neither_rewrite_what_was_said_nor_change_the_schema()
    {
        await using var world = await PersistenceWorld.CreateAsync(ownPostgres: true);
        await PrepareAsync(world);
        var writer = As(world, PostgresRoles.Writer, Roles.WriterPassword);
        var service = await StartAsync(world, writer);
        await using var log = await world.StartLogAsync();
        await world.OpenedAsync();

        await WriteAsync(world, log);

        await using var source = NpgsqlDataSource.Create(writer);
        foreach (var forbidden in new[]
        {
            "DELETE FROM conversations", "DELETE FROM partitions", "TRUNCATE events", "UPDATE events SET sender = 'mallory'", "UPDATE events SET seq = 0",
            "DROP TABLE events", "ALTER TABLE events ADD COLUMN mine int", "CREATE TABLE mine (n int)", "SELECT * FROM schema_version",
            "INSERT INTO schema_version VALUES (99, 'mine', now())", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        })
        {
            await using var command = source.CreateCommand(forbidden);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }

        await using var sessions = world.Source.CreateCommand(
            "SELECT count(*) FILTER (WHERE usename = 'aspirechat_writer') > 0 AND count(*) FILTER (WHERE usename = 'aspirechat_owner') = 0 " +
            "FROM pg_stat_activity");
        await Eventually.IsTrueAsync(async () => (bool)(await sessions.ExecuteScalarAsync())!, "only the writer stays connected");
        Assert.NotNull(service);
    }

    [Fact]
    public async Task Tables_that_the_superuser_made_go_on_under_the_roles()
    {
        await using var world = await PersistenceWorld.CreateAsync(ownPostgres: true);
        await world.MigrateAsync();
        await PrepareAsync(world);
        await StartAsync(world, As(world, PostgresRoles.Writer, Roles.WriterPassword));
        await using var log = await world.StartLogAsync();
        await world.OpenedAsync();

        await WriteAsync(world, log);

        await using var owners = world.Source.CreateCommand(
            "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'public'");
        Assert.Equal(PostgresRoles.Owner, await owners.ExecuteScalarAsync());
    }

    private static async Task PrepareAsync(PersistenceWorld world)
    {
        await using var roles = world.Source.CreateCommand(Roles.Statements);
        await roles.ExecuteNonQueryAsync();
    }

    /// <summary>Every kind of statement that the writer has: new rows, later effects on old ones, members, places.</summary>
    private static async Task WriteAsync(PersistenceWorld world, RunningLog log)
    {
        var first = PersistenceWorld.Message(Lobby, "alice", "n1", "first");
        await log.AppendAsync(first);
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n2", "second"));
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n3", "better") with { Kind = EventKind.Edit, Target = 1 });
        await log.AppendAsync(PersistenceWorld.Message(Lobby, "alice", "n4", "") with { Kind = EventKind.Delete, Target = 2 });
        await world.DurableAsync(Lobby, 4);
        Assert.Equal("better|", await world.QueryAsync<string>(
            "SELECT string_agg(content, '|' ORDER BY seq) FROM events WHERE conversation = 'r:lobby' AND kind = 0"));
    }

    private static string As(PersistenceWorld world, string user, string password) =>
        new NpgsqlConnectionStringBuilder(world.DatabaseText) { Username = user, Password = password }.ConnectionString;

    private static Task<RunningService> StartAsync(PersistenceWorld world, string writer) => world.StartServiceAsync(settings =>
    {
        settings["ConnectionStrings:chatdb"] = writer;
        settings["ConnectionStrings:chatdb_owner"] = As(world, PostgresRoles.Owner, Roles.OwnerPassword);
    });
}
