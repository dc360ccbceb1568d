using System.Diagnostics;

namespace AspireChat.Tests.Servers;

/// <summary>
/// Temporary directories of test servers, removed when the test process ends, however that happens: test runners kill it a moment after
/// the last test, too early for a handler of its own to stop a server and to delete some thousand files.
/// </summary>
internal static class ServerDirectory
{
    /// <summary>Learns the directories line by line and removes them at the end of its input; servers may still be ending then.</summary>
    private const string JanitorScript = """
        exec >/dev/null 2>&1
        trap '' INT TERM
        while IFS= read -r directory; do set -- "$@" "$directory"; done
        for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$@" && exit; sleep 0.2; done
        """;

    private static readonly Lock Gate = new();
    private static Process? janitor;

    /// <summary>A path for a new directory; it does not exist yet.</summary>
    public static string NewPath(string kind)
    {
        var path = Path.Combine(Path.GetTempPath(), $"aspirechat-{kind}-{ServerProcess.NewPassword()}");
        lock (Gate)
        {
            janitor ??= Process.Start(new ProcessStartInfo("sh", ["-c", JanitorScript]) { RedirectStandardInput = true })!;
            janitor.StandardInput.WriteLine(path);
            janitor.StandardInput.Flush();
        }
        return path;
    }
}
