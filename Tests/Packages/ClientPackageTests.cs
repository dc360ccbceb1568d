using System.IO.Compression;
using System.Security.Cryptography;
using AspireChat.Tests.Acceptance;
using AspireChat.Tests.Documents;

namespace AspireChat.Tests.Packages;

/// <summary>The packages as somebody else gets them: made, installed and used as the documents say.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ClientPackageTests(ChatSystem system, MadePackages packages) : IClassFixture<MadePackages>
{
    private const string Local = "http://localhost:8080";

    [Fact]
    public async Task The_packages_have_one_version_equal_bytes_whenever_they_are_made_and_what_NuGet_shows()
    {
        var again = packages.EmptyFolder("again");
        await CommandLine.RunAsync(LinkTests.Root(), $"eng/pack.sh {again}");

        var version = await CommandLine.RunAsync(LinkTests.Root(), "eng/version.sh");
        string[] names =
        [
            $"AspireChat.Client.{version}.nupkg", $"AspireChat.Client.{version}.snupkg",
            $"aspirechat-{version}.tgz", $"aspirechat-react-{version}.tgz",
        ];
        Assert.Equal(names, Directory.GetFiles(packages.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var name in names)
        {
            Assert.Equal(Hash(Path.Combine(packages.Folder, name)), Hash(Path.Combine(again, name)));
        }

        HasWhatAPackageNeeds(Path.Combine(packages.Folder, names[0]));
    }

    [Fact]
    public async Task The_first_message_of_the_guide_is_sent_from_an_empty_folder_in_each_language_by_its_own_steps_and_fifteen_lines()
    {
        var blocks = DocumentBlocks.Of("docs/embed.md", "The first message");
        Assert.Equal(["", "", "csharp", "", "js"], blocks.Select(block => block.Language));

        await Task.WhenAll(
            FollowAsync("csharp", blocks[1], blocks[2], "alice: hello from C#"),
            FollowAsync("javascript", blocks[3], blocks[4], "bob: hello from JavaScript"));
    }

    [Fact]
    public async Task The_quick_start_of_the_NuGet_package_is_the_console_sample_which_runs()
    {
        var root = LinkTests.Root();
        var readme = await File.ReadAllTextAsync(Path.Combine(root, "Client", "README.md"));
        var sample = await File.ReadAllTextAsync(Path.Combine(root, "samples", "console", "Program.cs"));
        Assert.Equal(readme.Split("```csharp\n")[1].Split("```")[0], sample);

        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
        var program = Path.Combine(AppContext.BaseDirectory, "../../QuickStart", configuration, "AspireChat.QuickStart.dll");
        await CommandLine.SaysAsync(root, $"exec dotnet {program} {system.Gateway}", ["ann: hello"]);
    }

    /// <summary>Does what the guide says, in an empty folder, until the program has said the line.</summary>
    private async Task FollowAsync(string folder, DocumentBlock commands, DocumentBlock program, string line)
    {
        Assert.InRange(program.Text.TrimEnd().Split('\n').Length, 1, 15);
        Assert.Contains(Local, program.Text, StringComparison.Ordinal);
        var project = packages.EmptyFolder(folder);
        var (file, command) = program.Use();
        await CommandLine.RunAsync(project, string.Join('\n', commands.Commands()), packages.Cache);
        // The one difference: the guide's system has the port that `./run` takes.
        var text = program.Text.Replace(Local, system.Gateway.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(project, file), text);
        await CommandLine.SaysAsync(project, command, [line], packages.Cache);
    }

    private static void HasWhatAPackageNeeds(string package)
    {
        using var archive = ZipFile.OpenRead(package);
        var names = archive.Entries.Select(entry => entry.FullName).ToHashSet();
        foreach (var target in (string[])["net8.0", "net10.0"])
        {
            Assert.Superset(
                new HashSet<string>
                {
                    "README.md", "icon.png", $"lib/{target}/AspireChat.Client.dll", $"lib/{target}/AspireChat.Contracts.dll",
                    $"ref/{target}/AspireChat.Client.dll", $"ref/{target}/AspireChat.Client.xml",
                },
                names);
            // The servers' types are not offered to applications.
            Assert.DoesNotContain($"ref/{target}/AspireChat.Contracts.dll", names);
        }

        using var symbols = ZipFile.OpenRead(Path.ChangeExtension(package, ".snupkg"));
        Assert.Equal(
            [
                "lib/net10.0/AspireChat.Client.pdb", "lib/net10.0/AspireChat.Contracts.pdb",
                "lib/net8.0/AspireChat.Client.pdb", "lib/net8.0/AspireChat.Contracts.pdb",
            ],
            symbols.Entries.Select(entry => entry.FullName)
                .Where(name => name.EndsWith(".pdb", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
}
