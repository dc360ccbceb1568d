using System.IO.Compression;
using System.Security.Cryptography;
using AspireChat.Tests.Acceptance;
using AspireChat.Tests.Documents;
using static AspireChat.Tests.Packages.Command;

namespace AspireChat.Tests.Packages;

/// <summary>The NuGet package as somebody else gets it: installed from a folder into an empty project, and used as its README
/// says.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ClientPackageTests(ChatSystem system) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aspirechat-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_quick_start_of_the_package_runs_in_an_empty_project()
    {
        var packages = Path.Combine(_folder, "packages");
        await PackAsync(packages);
        await PackAsync(Path.Combine(_folder, "again"));
        var package = Assert.Single(Directory.GetFiles(packages, "*.nupkg"));
        var version = Path.GetFileNameWithoutExtension(package)["AspireChat.Client.".Length..];
        Assert.Equal(await RunAsync(LinkTests.Root(), "bash", "eng/version.sh"), version);
        foreach (var made in Directory.GetFiles(packages))
        {
            Assert.Equal(Hash(made), Hash(Path.Combine(_folder, "again", Path.GetFileName(made))));
        }

        HasWhatAPackageNeeds(package);
        var quickStart = QuickStart();
        Assert.True(quickStart.TrimEnd().Split('\n').Length <= 15, "a quick start has 15 lines at most");
        Assert.Equal(quickStart, await File.ReadAllTextAsync(Path.Combine(LinkTests.Root(), "samples", "console", "Program.cs")));
        var project = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "Program.cs"), quickStart);
        await File.WriteAllTextAsync(Path.Combine(project, "empty.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="AspireChat.Client" Version="{version}" /></ItemGroup>
            </Project>
            """);
        // Beside the sources of the machine, and with a cache of its own: the machine's must not keep this build of the version.
        await File.WriteAllTextAsync(Path.Combine(project, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="local" value="{packages}" /></packageSources>
              <config><add key="globalPackagesFolder" value="{Path.Combine(_folder, "cache")}" /></config>
            </configuration>
            """);
        await RunAsync(project, "dotnet", "build", "--nologo", "-v", "quiet", "-o", "out");

        Assert.Equal("ann: hello", await FirstLineAsync(Path.Combine(project, "out", "empty.dll")));
    }

    /// <summary>Starts the program against the system and gives its first line.</summary>
    private async Task<string?> FirstLineAsync(string program)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var process = Start(_folder, "dotnet", program, system.Gateway.ToString());
        try
        {
            return await process.StandardOutput.ReadLineAsync(patience.Token);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
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
            symbols.Entries.Select(entry => entry.FullName).Where(name => name.EndsWith(".pdb", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private static string QuickStart()
    {
        var readme = File.ReadAllText(Path.Combine(LinkTests.Root(), "Client", "README.md"));
        return readme.Split("```csharp\n")[1].Split("```")[0];
    }

    /// <summary>The second time nothing is compiled, so equal bytes are those of packing; the compiler is deterministic by its own
    /// setting.</summary>
    private static Task PackAsync(string folder) =>
        RunAsync(LinkTests.Root(), "dotnet", "pack", "Client/Client.csproj", "-o", folder, "--nologo", "-v", "quiet");

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
}
