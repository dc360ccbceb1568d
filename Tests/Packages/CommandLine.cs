using System.Diagnostics;
using System.Text;

namespace AspireChat.Tests.Packages;

/// <summary>Commands as somebody types them, in a folder.</summary>
internal static class CommandLine
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Runs a command to its end; fails with what it said when it does not succeed.</summary>
    /// <returns>Its output.</returns>
    public static async Task<string> RunAsync(string folder, string command, params (string Name, string Value)[] environment)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var process = Start(folder, command, environment);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            Assert.True(process.ExitCode == 0, $"{command}: {await output}{await errors}");
            return (await output).Trim();
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs a command until it has said all of the lines, in any order.</summary>
    public static async Task SaysAsync(string folder, string command, string[] lines, params (string Name, string Value)[] environment)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var process = Start(folder, command, environment);
        var (said, errors) = (new List<string>(), new StringBuilder());
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        try
        {
            while (lines.Except(said).Any() && await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                said.Add(line);
            }
        }
        catch (OperationCanceledException)
        {
            // What it did not say is the failure.
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        Assert.True(
            !lines.Except(said).Any(), $"{command} did not say {string.Join(", ", lines)}, but:\n{string.Join('\n', said)}\n{errors}");
    }

    private static Process Start(string folder, string command, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("bash", ["-ec", command])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // The program that runs the tests sets variables for MSBuild that do not fit another build.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
