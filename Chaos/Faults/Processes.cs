using System.Diagnostics;
using System.Globalization;

namespace AspireChat.Chaos.Faults;

/// <summary>Sends signals to processes on this machine.</summary>
internal static class Processes
{
    public static void Signal(string signal, params IReadOnlyCollection<int> processes)
    {
        if (processes.Count == 0)
        {
            return;
        }
        // A process may have ended already, which is no error here.
        var start = new ProcessStartInfo("kill", ["-" + signal, .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))])
        {
            RedirectStandardError = true,
        };
        using var kill = Process.Start(start)!;
        kill.StandardError.ReadToEnd();
        kill.WaitForExit();
    }

    /// <summary>A process and the processes that it started. PostgreSQL serves each session from a child.</summary>
    public static IReadOnlyCollection<int> WithChildren(int process)
    {
        List<int> found = [process];
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var id) && ParentOf(id) == process)
            {
                found.Add(id);
            }
        }
        return found;
    }

    /// <summary>
    /// The program that a wrapper runs, or the process itself if it is no wrapper. The orchestrator starts a project with <c>dotnet run</c>
    /// and PostgreSQL with a shell.
    /// </summary>
    public static int ProgramIn(int process)
    {
        while (IsWrapper(process) && WithChildren(process).Skip(1).Order().Cast<int?>().FirstOrDefault() is { } child)
        {
            process = child;
        }

        return process;
    }

    private static bool IsWrapper(int process)
    {
        var command = CommandOf(process);
        return Path.GetFileName(command[0]) == "sh" || (Path.GetFileName(command[0]) == "dotnet" && command is [_, "run", ..]);
    }

    private static string[] CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/cmdline").Split('\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [""];
        }
    }

    private static int? ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
