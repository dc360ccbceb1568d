using System.Globalization;
using AspireChat.Servers;
using Npgsql;

namespace AspireChat.Tests.Servers;

[Trait("Needs", "PostgreSQL")]
public sealed class PostgresDataTests : IDisposable
{
    private readonly string _folder = TemporaryFolder.Create("test");
    private readonly int _port = Ports.Free();

    private string DataPath => Path.Combine(_folder, "postgres");

    private PostgresData Data => new(DataPath, "chatdb", durable: false);

    [Theory]
    [InlineData("notes.txt", "mine", "holds 'notes.txt' but no PostgreSQL data")]
    [InlineData("PG_VERSION", "9.6\n", "was made by PostgreSQL 9.6, but installed is")]
    public void Folder_of_another_program_or_version_is_refused_and_not_touched(string file, string content, string says)
    {
        Directory.CreateDirectory(DataPath);
        File.WriteAllText(Path.Combine(DataPath, file), content);

        var refused = Assert.Throws<ServerException>(Data.Check);

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Contains(DataPath, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Equal(content, File.ReadAllText(Path.Combine(DataPath, file)));
    }

    [Fact]
    public async Task Creation_that_was_interrupted_is_started_again()
    {
        // This is what a start leaves that was killed during initdb.
        Directory.CreateDirectory(Path.Combine(DataPath + ".new", "base"));
        await File.WriteAllTextAsync(Path.Combine(DataPath + ".new", "PG_VERSION"), "15\n");
        await File.WriteAllTextAsync(DataPath + ".password", "old\n");
        Data.Check();

        await using (await StartAsync("new"))
        {
            Assert.Equal("chatdb", await QueryAsync("new", "SELECT current_database()"));
        }

        Assert.False(Directory.Exists(DataPath + ".new"));
        Assert.False(File.Exists(DataPath + ".password"));
    }

    [Fact]
    public async Task Data_survives_a_restart_and_a_changed_password_applies_from_the_next_start()
    {
        await using (await StartAsync("first"))
        {
            await QueryAsync("first", "CREATE TABLE t AS SELECT 'kept'::text AS v");
        }

        await using (await StartAsync("it's \"second\""))
        {
            Assert.Equal("kept", await QueryAsync("it's \"second\"", "SELECT v FROM t"));
            var refused = await Assert.ThrowsAsync<PostgresException>(() => QueryAsync("first", "SELECT v FROM t"));
            Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
        }
    }

    [Fact]
    public async Task Data_whose_password_is_lost_takes_the_new_one()
    {
        await using (await StartAsync("lost"))
        {
            Assert.NotNull(await QueryAsync("lost", "SELECT 1"));
        }

        File.Delete(DataPath + ".password.sha256");
        await using (await StartAsync("found"))
        {
            Assert.Equal("chatdb", await QueryAsync("found", "SELECT current_database()"));
        }
    }

    [Fact]
    public async Task Server_runs_as_postgres_if_this_process_is_root_and_else_as_its_user()
    {
        await using var server = await StartAsync("secret");
        var expected = Environment.IsPrivilegedProcess
            ? File.ReadLines("/etc/passwd").Single(line => line.StartsWith("postgres:", StringComparison.Ordinal)).Split(':')[2]
            : UserOf(Environment.ProcessId);
        Assert.Equal(expected, UserOf(server.Id));
    }

    [Fact]
    public async Task Password_is_on_no_command_line_and_in_no_file()
    {
        await using var server = await StartAsync("a-known-password");
        Assert.DoesNotContain("a-known-password", await File.ReadAllTextAsync($"/proc/{server.Id}/cmdline"), StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(_folder))
        {
            Assert.DoesNotContain("a-known-password", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Roles_are_made_on_data_of_an_older_version_and_take_its_tables_over()
    {
        await using (await StartAsync("super"))
        {
            await QueryAsync("super", "CREATE TABLE old AS SELECT 'kept'::text AS v");
        }

        await using (await StartAsync("super", new PostgresRoles("owner's", "it's \"the writer\"")))
        {
            Assert.Equal("kept", await QueryAsync("owner's", "ALTER TABLE old ADD COLUMN more int; SELECT v FROM old", PostgresRoles.Owner));
            foreach (var forbidden in new[]
            {
                "SELECT v FROM old", "CREATE TABLE mine (n int)", "CREATE SCHEMA mine", "CREATE TEMPORARY TABLE mine (n int)", "SELECT lo_create(0), pg_read_file('/etc/passwd')",
                $"SET ROLE {PostgresRoles.Owner}", "CREATE ROLE more", "CREATE DATABASE more",
            })
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(
                    () => QueryAsync("it's \"the writer\"", forbidden, PostgresRoles.Writer));
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
            }
        }

        await using (await StartAsync("super", new PostgresRoles("owner's", "changed")))
        {
            Assert.Equal(false, await QueryAsync("changed", "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb) FROM pg_roles " +
                "WHERE rolname LIKE 'aspirechat%'", PostgresRoles.Writer));
        }
    }

    [Fact]
    public async Task Nobody_else_can_read_the_data()
    {
        await using (await StartAsync("secret"))
        {
            Assert.Empty(OpenFiles.In(DataPath));
        }

        Assert.Empty(OpenFiles.In(_folder));
    }

    [Fact]
    public async Task Server_of_an_earlier_run_that_is_still_ending_is_waited_for()
    {
        var former = await StartAsync("secret");
        var next = Data.PrepareAsync(_port, "another", [], CancellationToken.None);
        Assert.Equal("chatdb", await QueryAsync("secret", "SELECT current_database()"));
        Assert.False(next.IsCompleted);

        await former.DisposeAsync();

        await next;
        await using (await StartAsync("another"))
        {
            Assert.Equal("chatdb", await QueryAsync("another", "SELECT current_database()"));
        }
    }

    [Fact]
    public void Folder_below_a_private_one_is_out_of_reach_only_for_another_user()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var closed = Path.Combine(_folder, "closed");
        Directory.CreateDirectory(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.True(PostgresData.IsReachable(DataPath));
        Assert.Equal(!Environment.IsPrivilegedProcess, PostgresData.IsReachable(Path.Combine(closed, "not-there-yet", "postgres")));
    }

    public void Dispose() => TemporaryFolder.Delete(_folder);

    private async Task<ServerProcess> StartAsync(string password, PostgresRoles? roles = null)
    {
        var command = await new PostgresData(DataPath, "chatdb", roles, durable: false).PrepareAsync(_port, password, ["fsync=off"], CancellationToken.None);
        return await ServerProcess.StartAsync(command, "QUIT", "database system is ready to accept connections");
    }

    private async Task<object?> QueryAsync(string password, string sql, string user = PostgresData.UserName)
    {
        var address = new NpgsqlConnectionStringBuilder
        {
            Host = "localhost", Port = _port, Username = user, Password = password, Database = "chatdb", Pooling = false,
        };
        await using var connection = new NpgsqlConnection(address.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static string UserOf(int process) => File
        .ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status"))
        .Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];
}
