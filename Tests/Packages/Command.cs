using System.Diagnostics;

namespace AspireChat.Tests.Packages;

/// <summary>Programs that tests of packages run.</summary>
internal static class Command
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Runs a program to its end, which must be a good one, and gives what it wrote.</summary>
    public static async Task<string> RunAsync(string folder, string command, params string[] arguments)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var process = Start(folder, command, arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        await process.WaitForExitAsync(patience.Token);
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)}: {await output}{await errors}");
        return (await output).Trim();
    }

    public static Process Start(string folder, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // The program that runs the tests sets variables for MSBuild that do not fit another build.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        return Process.Start(start)!;
    }
}
