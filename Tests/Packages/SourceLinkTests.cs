using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using AspireChat.Tests.Documents;

namespace AspireChat.Tests.Packages;

/// <summary>What a package says of its sources when it is made where the repository has its home on GitHub.</summary>
[Trait("Needs", "Processes")]
public sealed class SourceLinkTests : IDisposable
{
    /// <summary>Of the portable PDB format: the JSON that says where each source file is to be had.</summary>
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    private readonly string _folder = Directory.CreateTempSubdirectory("aspirechat-sources-").FullName;

    public void Dispose()
    {
        // Git's objects are read-only, which on Windows keeps them from being deleted.
        foreach (var file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories))
        {
            File.SetAttributes(file, FileAttributes.Normal);
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_debugger_finds_the_sources_of_the_package_at_its_commit_on_github()
    {
        var commit = await CloneAsync("https://github.com/example/chat.git");
        // One target is enough, because both are made alike, and what analyzers say of the sources is known from their own build.
        await CommandLine.RunAsync(
            _folder, "dotnet pack Client/Client.csproj -p:TargetFrameworks=net10.0 -p:RunAnalyzers=false -o packages --nologo -v quiet");

        var package = Assert.Single(Directory.GetFiles(Path.Combine(_folder, "packages"), "*.nupkg"));
        var repository = Repository(package);
        Assert.Equal(
            ("git", "https://github.com/example/chat.git", commit),
            ((string?)repository.Attribute("type"), (string?)repository.Attribute("url"), (string?)repository.Attribute("commit")));
        using var symbols = ZipFile.OpenRead(Path.ChangeExtension(package, ".snupkg"));
        foreach (var name in (string[])["AspireChat.Client", "AspireChat.Contracts"])
        {
            var (link, documents) = await ReadAsync(symbols.GetEntry($"lib/net10.0/{name}.pdb")!);
            var (prefix, address) = Assert.Single(link["documents"]!.AsObject());
            Assert.Equal($"https://raw.githubusercontent.com/example/chat/{commit}/*", (string?)address);
            var sources = documents.Where(document => !document.Contains("/obj/", StringComparison.Ordinal)).ToList();
            Assert.True(sources.Count > 10, $"only {sources.Count} sources");
            // Each is there under the name that the link gives it.
            Assert.All(sources, source => Assert.True(
                source.StartsWith(prefix.TrimEnd('*'), StringComparison.Ordinal)
                && File.Exists(Path.Combine(_folder, source[(prefix.Length - 1)..])), source));
        }
    }

    /// <summary>A repository of what the package is made of, as it is now, with that remote. Gives its commit.</summary>
    private async Task<string> CloneAsync(string remote)
    {
        var root = LinkTests.Root();
        var files = await CommandLine.RunAsync(
            root,
            "git ls-files --cached --others --exclude-standard -- "
            + "Client Contracts eng/BannedSymbols.txt 'Directory.*' global.json .editorconfig .gitignore nuget.config");
        foreach (var file in files.Split('\n').Where(file => File.Exists(Path.Combine(root, file))))
        {
            var copy = Path.Combine(_folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(root, file), copy);
        }

        return await CommandLine.RunAsync(_folder, $"""
            git init --quiet
            git remote add origin {remote}
            git add .
            git -c user.name=test -c user.email=test@example.org commit --quiet --message all
            git rev-parse HEAD
            """);
    }

    private static XElement Repository(string package)
    {
        using var archive = ZipFile.OpenRead(package);
        using var stream = archive.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream).Descendants().Single(element => element.Name.LocalName == "repository");
    }

    private static async Task<(JsonNode Link, List<string> Documents)> ReadAsync(ZipArchiveEntry entry)
    {
        var pdb = new MemoryStream();
        await using (var stream = entry.Open())
        {
            await stream.CopyToAsync(pdb);
        }

        pdb.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(pdb);
        var reader = provider.GetMetadataReader();
        var link = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation)
            .Single(information => reader.GetGuid(information.Kind) == SourceLink);
        return (
            JsonNode.Parse(reader.GetBlobBytes(link.Value))!,
            [.. reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name))]);
    }
}
