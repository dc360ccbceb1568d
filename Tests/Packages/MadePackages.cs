using AspireChat.Tests.Documents;

namespace AspireChat.Tests.Packages;

/// <summary>
/// The packages of both clients as docs/embed.md has them made, into the repository's <c>artifacts/packages</c>, and the empty folders of a
/// newcomer beside the repository.
/// </summary>
public sealed class MadePackages : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aspirechat-package-").FullName;

    /// <summary>Where the packages are.</summary>
    public string Folder => Path.Combine(LinkTests.Root(), "artifacts", "packages");

    /// <summary>The machine's cache must not keep this build of the version.</summary>
    internal (string Name, string Value) Cache => ("NUGET_PACKAGES", Path.Combine(_folder, "cache"));

    public async Task InitializeAsync()
    {
        // The reader has the repository under this name.
        Directory.CreateSymbolicLink(Path.Combine(_folder, "AspireChat"), LinkTests.Root());
        var commands = DocumentBlocks.Of("docs/embed.md", "The first message")[0].Commands();
        Assert.Equal("./run", commands[0]);
        await CommandLine.RunAsync(Path.Combine(_folder, "AspireChat"), string.Join('\n', commands.Skip(1)));
    }

    public Task DisposeAsync()
    {
        // The link first: the repository stays.
        File.Delete(Path.Combine(_folder, "AspireChat"));
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    internal string EmptyFolder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
}
