using System.Globalization;

namespace AspireChat.Chaos.Hostile;

/// <summary>What a process did at its limit of memory. Megabytes.</summary>
/// <param name="Peak">The most that it had, of all that the limit counts.</param>
/// <param name="Reached">How often it was refused memory at first, and the kernel had to take some back.</param>
/// <param name="Kills">How often the kernel ended it.</param>
internal sealed record MemoryAtLimit(string Name, double Limit, double Peak, long Reached, int Kills)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: {Peak:0} of {Limit:0} MB, {(Reached == 0 ? "never at the limit" : $"{Reached} × at the limit")}, {(Kills == 0 ? "lived" : $"{Kills} × killed")}");
}

/// <summary>
/// Real limits of memory: a control group (version 1) for each process, as a container has one. The group counts what the process took before it was
/// moved, too. Not thread-safe.
/// </summary>
internal sealed class MemoryLimits(double megabytes) : IDisposable
{
    private const string Groups = "/sys/fs/cgroup/memory";
    private const double Megabyte = 1e6;

    /// <summary>What .NET takes of a container's limit for its heap when nothing else is said.</summary>
    private const double HeapShare = 0.75;

    /// <summary>What Redis may fill with data, as the published deployment has it: the rest is for buffers and for the copy that a rewrite makes.</summary>
    private const double RedisShare = 0.5;

    private readonly string _root = Path.Combine(Groups, "aspirechat-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
    private readonly HashSet<string> _names = [];

    /// <summary>This machine has such groups, and this user may make some.</summary>
    public static bool AreAvailable
    {
        get
        {
            var probe = Path.Combine(Groups, "aspirechat-probe-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            try
            {
                Directory.CreateDirectory(probe);
                Directory.Delete(probe);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <summary>
    /// The variable by which a program of .NET knows its limit from the start. It looks for its group only then, and is moved later.
    /// </summary>
    public (string Name, string Value) HeapLimit =>
        ("DOTNET_GCHeapHardLimit", ((long)(HeapShare * megabytes * Megabyte)).ToString("X", CultureInfo.InvariantCulture));

    public string RedisSetting => string.Create(CultureInfo.InvariantCulture, $"Redis:MaxMemory={RedisShare * megabytes:0}mb");

    /// <summary>From now on these processes, and those that they start, have so much memory together.</summary>
    public void Put(string name, IEnumerable<int> processes)
    {
        var group = Path.Combine(_root, name);
        Directory.CreateDirectory(group);
        if (_names.Add(name))
        {
            Write(group, "memory.move_charge_at_immigrate", "3");
            Write(group, "memory.limit_in_bytes", ((long)(megabytes * Megabyte)).ToString(CultureInfo.InvariantCulture));
        }

        foreach (var process in processes)
        {
            Write(group, "cgroup.procs", process.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>From now on peaks count anew.</summary>
    public void Begin()
    {
        foreach (var name in _names)
        {
            Write(Path.Combine(_root, name), "memory.max_usage_in_bytes", "0");
            Write(Path.Combine(_root, name), "memory.failcnt", "0");
        }
    }

    public IReadOnlyList<MemoryAtLimit> Read(IReadOnlyList<MemoryAtLimit>? before = null) =>
    [
        .. _names.Order(StringComparer.Ordinal).Select(name => new MemoryAtLimit(
            name,
            megabytes,
            long.Parse(Text(name, "memory.max_usage_in_bytes"), CultureInfo.InvariantCulture) / Megabyte,
            long.Parse(Text(name, "memory.failcnt"), CultureInfo.InvariantCulture),
            KillsOf(name) - (before?.FirstOrDefault(same => same.Name == name)?.Kills ?? 0))),
    ];

    /// <summary>The processes must have ended.</summary>
    public void Dispose()
    {
        foreach (var group in _names.Select(name => Path.Combine(_root, name)).Append(_root).Where(Directory.Exists))
        {
            try
            {
                Directory.Delete(group);
            }
            catch (IOException)
            {
                // A process lives on. The empty limit hurts nobody.
            }
        }
    }

    private int KillsOf(string name) => Text(name, "memory.oom_control").Split('\n').Select(line => line.Split(' '))
        .Where(words => words is ["oom_kill", _]).Select(words => int.Parse(words[1], CultureInfo.InvariantCulture)).FirstOrDefault();

    private string Text(string name, string file) => File.ReadAllText(Path.Combine(_root, name, file)).Trim();

    private static void Write(string group, string file, string text)
    {
        try
        {
            File.WriteAllText(Path.Combine(group, file), text);
        }
        catch (IOException) when (file == "cgroup.procs")
        {
            // The process has ended meanwhile.
        }
    }
}
