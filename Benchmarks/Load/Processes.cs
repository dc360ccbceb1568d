using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>What a process is for.</summary>
internal enum Role
{
    Node,
    Gateway,
    Presence,
    Persistence,
    Redis,
    PostgreSql,
}

/// <summary>CPU time and memory of process trees, read from /proc.</summary>
internal static class Processes
{
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds, user and kernel, that a process and its descendants have used so far. 0 when it is gone.</summary>
    public static double Cpu(int root, Role role)
    {
        var ticks = 0.0;
        foreach (var process in Below(root))
        {
            if (Stat(process) is not { } stat)
            {
                continue;
            }
            // PostgreSQL's sessions come and go. The time of those that have ended counts too.
            ticks += stat.Own + (role == Role.PostgreSql ? stat.Children : 0);
        }
        return ticks / TicksPerSecond;
    }

    /// <summary>
    /// Resident bytes of a process and its descendants, of which a page that several processes share counts in parts (PSS). 0 when it is
    /// gone.
    /// </summary>
    public static long Memory(int root) => Below(root).Sum(process => ProportionalBytes(Read($"/proc/{process}/smaps_rollup")));

    /// <summary>CPU seconds of this process.</summary>
    public static double OwnCpu() => Stat(Environment.ProcessId)!.Value.Own / TicksPerSecond;

    /// <summary>The line <c>Pss:</c> of an smaps_rollup file, in bytes. 0 when the file is empty, because the process has ended.</summary>
    public static long ProportionalBytes(string rollup)
    {
        const string Label = "\nPss:";
        var at = rollup.IndexOf(Label, StringComparison.Ordinal);
        if (at < 0)
        {
            return 0;
        }

        var kibibytes = rollup[(at + Label.Length)..].Split(' ', 2, StringSplitOptions.RemoveEmptyEntries)[0];
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
    }

    private static List<int> Below(int root)
    {
        var children = new Dictionary<int, List<int>>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var process) || Stat(process) is not { } stat)
            {
                continue;
            }

            if (!children.TryGetValue(stat.Parent, out var siblings))
            {
                children[stat.Parent] = siblings = [];
            }

            siblings.Add(process);
        }
        List<int> found = [root];
        for (var i = 0; i < found.Count; i++)
        {
            if (children.TryGetValue(found[i], out var own))
            {
                found.AddRange(own);
            }
        }
        return found;
    }

    private static (int Parent, double Own, double Children)? Stat(int process)
    {
        var text = Read($"/proc/{process}/stat");
        // The name in parentheses may hold any character. The fields after it are numbers.
        var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length < 15
            ? null
            : (int.Parse(fields[1], CultureInfo.InvariantCulture), Number(fields[11]) + Number(fields[12]),
                Number(fields[13]) + Number(fields[14]));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Empty when the process has ended.</summary>
    private static string Read(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
