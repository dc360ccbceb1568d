using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>What a process is for; figures are summed by it.</summary>
internal enum Role
{
    Node,
    Gateway,
    Presence,
    Persistence,
    Redis,
    PostgreSql,
    Other,
}

/// <summary>The processes of a system by role, read from /proc: CPU time and memory of a tree, whoever started what.</summary>
internal static class Processes
{
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds, user and kernel, that the processes below <paramref name="root"/> have used so far.</summary>
    public static Dictionary<Role, double> Cpu(int root, Func<string, Role> roleOf)
    {
        var sums = Enum.GetValues<Role>().ToDictionary(role => role, _ => 0.0);
        foreach (var process in Below(root))
        {
            if (Stat(process) is not { } stat) continue;
            var role = roleOf(CommandOf(process));
            // Only PostgreSQL's server processes come and go; a shell's ended children would be counted twice.
            sums[role] += (stat.Own + (role == Role.PostgreSql ? stat.Children : 0)) / TicksPerSecond;
        }
        return sums;
    }

    /// <summary>Resident bytes that are the processes' own (not mapped files).</summary>
    public static Dictionary<Role, long> Memory(int root, Func<string, Role> roleOf)
    {
        var sums = Enum.GetValues<Role>().ToDictionary(role => role, _ => 0L);
        foreach (var process in Below(root))
            sums[roleOf(CommandOf(process))] += ResidentOf(process);
        return sums;
    }

    public static IReadOnlyList<int> Below(int root)
    {
        var children = new Dictionary<int, List<int>>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var process) || Stat(process) is not { } stat) continue;
            if (!children.TryGetValue(stat.Parent, out var siblings)) children[stat.Parent] = siblings = [];
            siblings.Add(process);
        }
        List<int> found = [root];
        for (var i = 0; i < found.Count; i++)
        {
            if (children.TryGetValue(found[i], out var own)) found.AddRange(own);
        }
        return found;
    }

    public static string CommandOf(int process) => Read($"/proc/{process}/cmdline").Replace('\0', ' ');

    /// <summary>A variable of the process's environment, or null.</summary>
    public static string? VariableOf(int process, string name) => Read($"/proc/{process}/environ").Split('\0')
        .FirstOrDefault(variable => variable.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>CPU seconds of this process.</summary>
    public static double OwnCpu() => Stat(Environment.ProcessId)!.Value.Own / TicksPerSecond;

    /// <summary>Starts a server that ends with the calling thread, however that ends.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "TERM", "--", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        // Read to the end, or a full pipe would stop the server. What a failed start said is told.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data)) Console.Error.WriteLine($"  {Path.GetFileName(program)}: {line.Data}");
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    public static void Stop(Process process)
    {
        if (!process.HasExited) LinuxCalls.Terminate(process.Id);
        if (!process.WaitForExit(TimeSpan.FromSeconds(40))) process.Kill(entireProcessTree: true);
        process.Dispose();
    }

    private static (int Parent, double Own, double Children)? Stat(int process)
    {
        var text = Read($"/proc/{process}/stat");
        // The name in parentheses may hold anything; the fields after it are numbers.
        var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length < 15
            ? null
            : (int.Parse(fields[1], CultureInfo.InvariantCulture), Number(fields[11]) + Number(fields[12]),
                Number(fields[13]) + Number(fields[14]));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static long ResidentOf(int process)
    {
        var line = Read($"/proc/{process}/status").Split('\n')
            .FirstOrDefault(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        var kilobytes = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] ?? "0";
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Empty when the process is gone by now.</summary>
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
