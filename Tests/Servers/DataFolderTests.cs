using AspireChat.Servers;

namespace AspireChat.Tests.Servers;

public sealed class DataFolderTests : IDisposable
{
    private readonly string _path = TemporaryFolder.Create("test");

    [Fact]
    public void Second_host_on_a_folder_is_refused_and_told_which_process_has_it()
    {
        using (DataFolder.Open(_path))
        {
            var refused = Assert.Throws<ServerException>(() => DataFolder.Open(_path));
            Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
            Assert.Contains("Data__Folder=", refused.Message, StringComparison.Ordinal);
        }
        DataFolder.Open(_path).Dispose();
    }

    [Fact]
    public void Folder_that_cannot_be_written_is_named()
    {
        var file = Path.Combine(_path, "file");
        File.WriteAllText(file, "");
        var refused = Assert.Throws<ServerException>(() => DataFolder.Open(Path.Combine(file, "folder")));
        Assert.Contains($"The data folder {file}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_whose_secrets_are_damaged_is_refused_and_released()
    {
        var secrets = Path.Combine(_path, "secrets.json");
        File.WriteAllText(secrets, "{");
        Assert.Contains(_path, Assert.Throws<ServerException>(() => DataFolder.Open(_path)).Message, StringComparison.Ordinal);
        File.Delete(secrets);
        DataFolder.Open(_path).Dispose();
    }

    [Fact]
    public void Secret_is_generated_once_and_kept_where_only_its_owner_reads_it()
    {
        using (var first = DataFolder.Open(_path))
        {
            Assert.Equal("one", first.Secret("password", () => "one"));
        }

        using (var second = DataFolder.Open(_path))
        {
            Assert.Equal("one", second.Secret("password", () => "two"));
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_path, "secrets.json")));
        }
    }

    [Fact]
    public void Nobody_else_can_read_anything_of_a_folder_not_even_of_one_that_an_earlier_version_left_open()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const UnixFileMode readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        DataFolder.Open(_path).Dispose();
        File.SetUnixFileMode(_path, readable | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        foreach (var file in Directory.EnumerateFiles(_path))
        {
            File.SetUnixFileMode(file, readable);
        }

        using var folder = DataFolder.Open(_path);
        _ = folder.Secret("password", () => "one");
        using var made = DataFolder.Open(Path.Combine(_path, "made"));
        _ = made.Secret("password", () => "one");

        Assert.Empty(OpenFiles.In(_path));
    }

    [Fact]
    public void A_folder_that_holds_other_things_keeps_its_mode()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const UnixFileMode shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead;
        File.WriteAllText(Path.Combine(_path, "notes.txt"), "mine");
        File.SetUnixFileMode(_path, shared);

        DataFolder.Open(_path).Dispose();

        Assert.Equal(shared, File.GetUnixFileMode(_path));
    }

    [Fact]
    public void Data_outside_the_folder_is_found_again_by_the_same_secrets_and_never_by_new_ones()
    {
        string first;
        using (var folder = DataFolder.Open(_path))
        {
            first = folder.OutsideFor("postgres");
        }

        using (var folder = DataFolder.Open(_path))
        {
            Assert.Equal(first, folder.OutsideFor("postgres"));
        }

        File.Delete(Path.Combine(_path, "secrets.json"));
        using (var folder = DataFolder.Open(_path))
        {
            Assert.NotEqual(first, folder.OutsideFor("postgres"));
        }
    }

    [Fact]
    public void Temporary_folder_is_gone_once_it_is_closed()
    {
        var folder = DataFolder.Temporary();
        _ = folder.Secret("password", () => "one");
        Assert.True(Directory.Exists(folder.Path));
        folder.Dispose();
        Assert.False(Directory.Exists(folder.Path));
    }

    public void Dispose() => TemporaryFolder.Delete(_path);
}
