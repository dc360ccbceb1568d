using AspireChat.Servers;

namespace AspireChat.Tests.Servers;

public sealed class RedisDataTests : IDisposable
{
    private readonly string _folder = TemporaryFolder.Create("test");

    private string DataPath => Path.Combine(_folder, "redis");

    [Fact]
    public void Missing_redis_server_names_the_package_to_install()
    {
        var refused = Assert.Throws<ServerException>(() => new RedisData(DataPath, searchPath: _folder).Check());
        Assert.Contains("redis-server was not found on the PATH", refused.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install redis-server", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public void Foreign_folder_is_refused_and_not_touched()
    {
        Directory.CreateDirectory(DataPath);
        File.WriteAllText(Path.Combine(DataPath, "notes.txt"), "mine");
        var refused = Assert.Throws<ServerException>(() => new RedisData(DataPath).Check());
        Assert.Contains("holds 'notes.txt', which is not Redis data", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["notes.txt"], Directory.EnumerateFileSystemEntries(DataPath).Select(Path.GetFileName));
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Folder_that_a_server_has_used_is_accepted_again()
    {
        var data = new RedisData(DataPath);
        await using (await StartAsync(data))
        {
            data.Check();
        }

        data.Check();
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Password_is_on_no_command_line_and_only_in_files_of_its_owner()
    {
        await using var server = await StartAsync(new RedisData(DataPath), "a-known-password");

        Assert.DoesNotContain("a-known-password", await File.ReadAllTextAsync($"/proc/{server.Id}/cmdline"), StringComparison.Ordinal);
        var holders = Directory.EnumerateFiles(DataPath).Where(file => File.ReadAllText(file).Contains("a-known-password")).ToList();
        Assert.Equal(["redis.conf"], holders.Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(DataPath, "redis.conf")));
        }
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Nobody_else_can_read_the_data_not_even_what_an_earlier_version_left_open()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Directory.CreateDirectory(Path.Combine(DataPath, "appendonlydir"));
        await File.WriteAllTextAsync(Path.Combine(DataPath, "dump.rdb.old"), "");
        File.Move(Path.Combine(DataPath, "dump.rdb.old"), Path.Combine(DataPath, "temp-old.rdb"));

        await using (await StartAsync(new RedisData(DataPath)))
        {
            Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(DataPath, "appendonlydir")));
            Assert.Empty(OpenFiles.In(DataPath));
        }

        Assert.Empty(OpenFiles.In(DataPath));
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Server_of_an_earlier_run_that_is_still_ending_is_waited_for()
    {
        var data = new RedisData(DataPath);
        var former = await StartAsync(data);
        var next = data.PrepareAsync(Ports.Free(), "another", [], CancellationToken.None);

        // The start may not finish before the former server ends: until then its configuration is still in force.
        Assert.DoesNotContain("another", await File.ReadAllTextAsync(Path.Combine(DataPath, "redis.conf")), StringComparison.Ordinal);
        Assert.False(next.IsCompleted);
        await former.DisposeAsync();
        await next;
        Assert.Contains("another", await File.ReadAllTextAsync(Path.Combine(DataPath, "redis.conf")), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Needs", "Redis")]
    public async Task Process_that_only_has_the_id_of_a_former_server_is_not_waited_for()
    {
        Directory.CreateDirectory(DataPath);
        await File.WriteAllTextAsync(Path.Combine(DataPath, "redis.pid"), $"{Environment.ProcessId}\n");
        await using var server = await StartAsync(new RedisData(DataPath));
        Assert.False(server.HasEnded);
    }

    public void Dispose() => TemporaryFolder.Delete(_folder);

    private static async Task<ServerProcess> StartAsync(RedisData data, string password = "secret")
    {
        var command = await data.PrepareAsync(Ports.Free(), password, [], CancellationToken.None);
        return await ServerProcess.StartAsync(command, "KILL", "Ready to accept connections");
    }
}
