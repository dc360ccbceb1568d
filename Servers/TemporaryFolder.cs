using System.Diagnostics;
using System.Security.Cryptography;

namespace AspireChat.Servers;

/// <summary>
/// Folders of servers that end with this process, removed when it ends, however that happens: a test runner kills its process a moment
/// after the last test, too early for a handler of its own to stop a server and to delete some thousand files. Thread-safe.
/// </summary>
internal static class TemporaryFolder
{
    /// <summary>Learns the folders line by line and removes them at the end of its input; servers may still be ending then.</summary>
    private const string JanitorScript = """
        exec >/dev/null 2>&1
        trap '' INT TERM
        while IFS= read -r folder; do set -- "$@" "$folder"; done
        for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$@" && exit; sleep 0.2; done
        """;

    private static readonly Lock Gate = new();
    private static Process? janitor;

    /// <summary>A new, empty folder.</summary>
    /// <param name="kind">A word of its name.</param>
    public static string Create(string kind)
    {
        var path = Path.Combine(Path.GetTempPath(), $"aspirechat-{kind}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        if (OperatingSystem.IsWindows())
        {
            PrivateFolder.CreatePassage(path);
            return path;
        }
        lock (Gate)
        {
            janitor ??= Process.Start(new ProcessStartInfo("sh", ["-c", JanitorScript]) { RedirectStandardInput = true })!;
            janitor.StandardInput.WriteLine(path);
            janitor.StandardInput.Flush();
        }
        PrivateFolder.CreatePassage(path);
        return path;
    }

    /// <summary>Removes it now. What a server that still ends writes meanwhile is left to the end of this process.</summary>
    public static void Delete(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The janitor comes.
        }
    }
}
