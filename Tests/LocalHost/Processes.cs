using System.Diagnostics;

namespace AspireChat.Tests.LocalHost;

/// <summary>Processes of this machine, by id.</summary>
internal static class Processes
{
    /// <summary>True unless it is gone or only a zombie that nobody collected.</summary>
    public static bool Runs(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    public static async Task EndOfAsync(params IReadOnlyList<int> pids)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (pids.Where(Runs).ToList() is { Count: > 0 } left)
        {
            Assert.False(patience.IsCancellationRequested, $"still there: {string.Join(", ", left)}");
            await poll.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>The processes that a process started, and theirs. One that ends while this looks is named without its own.</summary>
    public static IReadOnlyList<int> Descendants(int pid)
    {
        List<int> found = [];
        foreach (var child in Children(pid))
        {
            found.Add(child);
            found.AddRange(Descendants(child));
        }

        return found;
    }

    private static List<int> Children(int pid)
    {
        List<int> children = [];
        try
        {
            foreach (var task in Directory.GetDirectories($"/proc/{pid}/task"))
                foreach (var child in File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    children.Add(int.Parse(child, System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // The process, or one of its threads, ended meanwhile: what was read so far stands.
        }

        return children;
    }

    public static void Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
    }
}
