using System.Diagnostics;

namespace AspireChat.Chaos.Planted;

/// <summary>A copy of the project's sources in a directory of its own, which can be changed, built and run. Disposing deletes it.</summary>
internal sealed class SourceCopy : IDisposable
{
    private static readonly HashSet<string> NotCopied =
        new(StringComparer.Ordinal) { ".git", "artifacts", "bin", "obj", "node_modules", "Tests", "Benchmarks" };

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("aspirechat-planted-");

    public SourceCopy(string sources) => Copy(new DirectoryInfo(sources), _root);

    /// <summary>The sources that this program was built from.</summary>
    /// <exception cref="InvalidOperationException">The program does not run from its build output.</exception>
    public static string FindSources()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "AspireChat.sln")))
            {
                return directory.FullName;
            }
        }
        throw new InvalidOperationException("Planting bugs needs the project's sources. Run the program there with 'dotnet run'.");
    }

    public void Write(string file, string text) => File.WriteAllText(Path.Combine(_root.FullName, file), text);

    public async Task BuildAsync(CancellationToken cancellationToken)
    {
        // A planted bug need not follow the style rules.
        var (output, exit) = await RunAsync(
            ["build", "Chaos", "-c", "Release", "-v", "q", "--nologo", "-p:TreatWarningsAsErrors=false"],
            null, cancellationToken);
        if (exit != 0)
        {
            throw new InvalidOperationException($"The copy does not build.\n{output}");
        }
    }

    /// <summary>Runs the copy's chaos suite and returns what it printed.</summary>
    public async Task<string> ChaosAsync(string arguments, Action<string> line, CancellationToken cancellationToken) =>
        (await RunAsync(["artifacts/bin/Chaos/release/AspireChat.Chaos.dll", .. arguments.Split(' ')], line, cancellationToken)).Output;

    public void Dispose()
    {
        try
        {
            _root.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A server that is still stopping may write a file. The system's own cleaning of temporary files removes it.
        }
    }

    private static void Copy(DirectoryInfo from, DirectoryInfo to)
    {
        foreach (var file in from.EnumerateFiles())
        {
            file.CopyTo(Path.Combine(to.FullName, file.Name));
        }

        foreach (var directory in from.EnumerateDirectories().Where(directory => !NotCopied.Contains(directory.Name)))
        {
            Copy(directory, to.CreateSubdirectory(directory.Name));
        }
    }

    private async Task<(string Output, int Exit)> RunAsync(string[] arguments, Action<string>? line, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = _root.FullName, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var lines = new List<string>();
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } text)
            {
                lines.Add(text);
                line?.Invoke(text);
            }
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return (string.Join('\n', lines) + await errors, process.ExitCode);
    }
}
