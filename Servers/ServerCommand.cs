using System.Diagnostics;

namespace AspireChat.Servers;

/// <summary>How to start a server. Nothing secret is in it: everyone on the machine can read a command line.</summary>
/// <param name="User">The user to run as, or null for the user of this process.</param>
public sealed record ServerCommand(string Program, IReadOnlyList<string> Arguments, string WorkingDirectory, string? User = null)
{
    /// <summary>What messages call it.</summary>
    public string Name { get; init; } = Path.GetFileName(Program);

    /// <summary>The signal, by its name without SIG, that stops the server in order and at once.</summary>
    public string StopSignal { get; init; } = "TERM";

    /// <summary>
    /// The command line with <c>setpriv</c> before it: it changes the user, and it lets the kernel signal the server when the thread that
    /// started it ends. Where there is no <c>setpriv</c> (it is Linux's) the command stands alone.
    /// </summary>
    public IReadOnlyList<string> WithDeathSignal(string signal) => Programs.Find("setpriv") is null
        ? [Program, .. Arguments]
        : ["setpriv", .. AsUser(), "--pdeathsig", signal, "--", Program, .. Arguments];

    /// <summary>Runs the command to its end and gives its exit code and both its output streams.</summary>
    internal async Task<(int ExitCode, string Output)> RunAsync(string input, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> line = User is null ? [Program, .. Arguments] : ["setpriv", .. AsUser(), "--", Program, .. Arguments];
        var start = new ProcessStartInfo(line[0], line.Skip(1))
        {
            WorkingDirectory = WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        };
        using var process = Process.Start(start) ?? throw new ServerException($"{line[0]} did not start.");
        await using var end = cancellationToken.Register(static p => ((Process)p!).Kill(), process).ConfigureAwait(false);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.StandardInput.WriteAsync(input).ConfigureAwait(false);
        process.StandardInput.Close();
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return (process.ExitCode, await output.ConfigureAwait(false) + await errors.ConfigureAwait(false));
    }

    private string[] AsUser() => User is null ? [] : [$"--reuid={User}", $"--regid={User}", "--init-groups"];
}

/// <summary>Finds programs as a shell would: on the PATH. Thread-safe.</summary>
public static class Programs
{
    /// <param name="searchPath">Directories to look in; null for this process's PATH.</param>
    public static string? Find(string name, string? searchPath = null) =>
        (searchPath ?? Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
}
