using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;

namespace AspireChat.LocalHost.Running;

/// <summary>Knows how one kind of resource becomes a process.</summary>
internal interface ILauncher
{
    /// <summary>Looks, before anything is started, for what would make the start fail.</summary>
    /// <exception cref="DistributedApplicationException">What is wrong, and what to do about it.</exception>
    void Check();

    /// <summary>Prepares a start, also after a crash. The environment is added by the caller.</summary>
    Task<ProcessLaunch> PrepareAsync(int replica, IReadOnlyList<string> arguments, CancellationToken cancellationToken);
}

/// <summary>A server of a host that was killed may need a moment to end, and two on the same data would spoil it.</summary>
internal static class FormerServer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static async Task WaitForEndAsync(string pidFile, string program, CancellationToken cancellationToken)
    {
        if (!File.Exists(pidFile)) return;
        var first = (await File.ReadAllLinesAsync(pidFile, cancellationToken).ConfigureAwait(false)).FirstOrDefault();
        if (!int.TryParse(first, CultureInfo.InvariantCulture, out var pid) || !Runs(pid, program)) return;
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
            throw new DistributedApplicationException(
                $"A {program} of an earlier run (process {pid}) still uses {Path.GetDirectoryName(pidFile)}: stop it.");
        }
    }

    // A pid is used again after a reboot: only a process of that name is meant.
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
