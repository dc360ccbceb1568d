using AspireChat.Servers;

namespace AspireChat.Tests.Servers;

public sealed class PostgresProgramsTests : IDisposable
{
    private readonly string _folder = TemporaryFolder.Create("test");

    [Fact]
    public void No_programs_are_found_where_none_are_installed() =>
        Assert.Empty(PostgresPrograms.Find(searchPath: _folder, debian: Path.Combine(_folder, "none")));

    [Fact]
    public void Newest_of_Debians_versions_comes_first_and_one_without_initdb_does_not_count()
    {
        foreach (var version in (string[])["9.6", "15", "17"])
        {
            Install(Path.Combine(_folder, version, "bin"), "initdb", "postgres");
        }

        Install(Path.Combine(_folder, "18", "bin"), "postgres");

        Assert.Equal(["17", "15", "9.6"], PostgresPrograms.Find(searchPath: "", debian: _folder).Select(programs => programs.Major));
    }

    [Fact]
    public void Programs_on_the_path_come_first_with_links_followed_and_are_listed_once()
    {
        Install(Path.Combine(_folder, "15", "bin"), "initdb", "postgres");
        Install(Path.Combine(_folder, "17", "bin"), "initdb", "postgres");
        var path = Directory.CreateDirectory(Path.Combine(_folder, "path")).FullName;
        File.CreateSymbolicLink(Path.Combine(path, "postgres"), Path.Combine(_folder, "15", "bin", "postgres"));

        var found = PostgresPrograms.Find(searchPath: path, debian: _folder);

        Assert.Equal(["15", "17"], found.Select(programs => programs.Major));
        Assert.Equal(Path.Combine(_folder, "15", "bin"), found[0].Directory);
    }

    public void Dispose() => TemporaryFolder.Delete(_folder);

    private static void Install(string folder, params string[] programs)
    {
        Directory.CreateDirectory(folder);
        foreach (var program in programs)
        {
            File.WriteAllText(Path.Combine(folder, program), "");
        }
    }
}
