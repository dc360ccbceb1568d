using System.Diagnostics;
using System.Globalization;

namespace AspireChat.Servers;

/// <summary>A server of an earlier run may need a moment to end. Two servers on the same data would spoil it.</summary>
internal static class FormerServer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <exception cref="ServerException">The server still runs after 15 s.</exception>
    public static async Task WaitForEndAsync(string pidFile, string program, CancellationToken cancellationToken)
    {
        if (!File.Exists(pidFile))
        {
            return;
        }

        var first = (await File.ReadAllLinesAsync(pidFile, cancellationToken).ConfigureAwait(false)).FirstOrDefault();
        if (!int.TryParse(first, CultureInfo.InvariantCulture, out var pid) || !Runs(pid, program))
        {
            return;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var former = Process.GetProcessById(pid);
            await former.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            // It ended meanwhile.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServerException($"A {program} of an earlier run (process {pid}) still uses {Path.GetDirectoryName(pidFile)}: stop it.");
        }
    }

    // A process id is used again after a reboot: only a process of that name is meant.
    private static bool Runs(int pid, string program)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.ProcessName.StartsWith(program, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
