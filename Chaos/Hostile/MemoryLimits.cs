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
/// Real limits of memory: a control group (version 1) for each process, as a container has one. What a process took before it came into its group
/// does not count: of a service the first 30 MB, which the runtime takes before <see cref="StartupHook"/> runs. Not thread-safe.
/// </summary>
internal sealed class MemoryLimits : IDisposable
{
    private const string Groups = "/sys/fs/cgroup/memory";
    private const string GroupsVariable = "ASPIRECHAT_MEMORY_GROUPS";
    private const string BytesVariable = "ASPIRECHAT_MEMORY_BYTES";
    private const double Megabyte = 1e6;

    /// <summary>What .NET takes of a container's limit for its heap when nothing else is said.</summary>
    private const double HeapShare = 0.75;

    /// <summary>What Redis may fill with data. The rest is for buffers, and for the copy that a rewrite of its file makes.</summary>
    private const double RedisShare = 0.5;

    private readonly double _megabytes;
    private readonly string _root = Path.Combine(Groups, "aspirechat-" + Text(Environment.ProcessId));

    /// <exception cref="InvalidOperationException">This machine has no such groups, or this user may make none.</exception>
    public MemoryLimits(double megabytes)
    {
        _megabytes = megabytes;
        try
        {
            Directory.CreateDirectory(_root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"Limits of memory need control groups of version 1 ({Groups}), and the right to make some.", e);
        }
    }

    public string RedisSetting => string.Create(CultureInfo.InvariantCulture, $"Redis:MaxMemory={RedisShare * _megabytes:0}mb");

    /// <summary>
    /// With these a service puts itself into its group at its start. .NET looks for a limit only before that, so the heap's is named, too.
    /// </summary>
    public IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>
    {
        ["DOTNET_STARTUP_HOOKS"] = typeof(MemoryLimits).Assembly.Location,
        ["DOTNET_GCHeapHardLimit"] = ((long)(HeapShare * _megabytes * Megabyte)).ToString("X", CultureInfo.InvariantCulture),
        [GroupsVariable] = _root,
        [BytesVariable] = Text((long)(_megabytes * Megabyte)),
    };

    /// <summary>For <see cref="StartupHook"/>. The variables reach the wrapper that starts the service, too, which has no limit.</summary>
    public static void PutThisProcess()
    {
        if (Environment.GetEnvironmentVariable(GroupsVariable) is { } root
            && Environment.GetEnvironmentVariable(BytesVariable) is { } bytes
            && Path.GetFileName(Environment.ProcessPath)?.StartsWith("AspireChat.", StringComparison.Ordinal) == true)
        {
            Put(Path.Combine(root, Text(Environment.ProcessId)), bytes, Environment.ProcessId);
        }
    }

    /// <summary>From now on a server has so much memory, together with the processes that it starts.</summary>
    /// <param name="process">Its first process, by which its group is named.</param>
    public void Put(int process, IEnumerable<int> children)
    {
        foreach (var each in children.Prepend(process))
        {
            Put(Group(process), Text((long)(_megabytes * Megabyte)), each);
        }
    }

    public bool Has(int process) => Directory.Exists(Group(process));

    /// <summary>From now on the peak of the process counts anew.</summary>
    public void Begin(int process)
    {
        File.WriteAllText(Path.Combine(Group(process), "memory.max_usage_in_bytes"), "0");
        File.WriteAllText(Path.Combine(Group(process), "memory.failcnt"), "0");
    }

    /// <summary>Also of a process that has ended.</summary>
    public MemoryAtLimit Read(string name, int process)
    {
        long Number(string file) => long.Parse(Read(process, file), CultureInfo.InvariantCulture);
        var kills = Read(process, "memory.oom_control").Split('\n').Select(line => line.Split(' ')).FirstOrDefault(words => words[0] == "oom_kill");
        return new MemoryAtLimit(
            name,
            _megabytes,
            Number("memory.max_usage_in_bytes") / Megabyte,
            Number("memory.failcnt"),
            kills is null ? 0 : int.Parse(kills[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Call it when the processes have ended.</summary>
    public void Dispose()
    {
        foreach (var group in Directory.GetDirectories(_root).Append(_root))
        {
            try
            {
                Directory.Delete(group);
            }
            catch (IOException)
            {
                // A process lives on. A group without use hurts nobody.
            }
        }
    }

    private static void Put(string group, string bytes, int process)
    {
        Directory.CreateDirectory(group);
        File.WriteAllText(Path.Combine(group, "memory.limit_in_bytes"), bytes);
        try
        {
            File.WriteAllText(Path.Combine(group, "cgroup.procs"), Text(process));
        }
        catch (IOException)
        {
            // The process has ended meanwhile.
        }
    }

    private string Group(int process) => Path.Combine(_root, Text(process));

    private string Read(int process, string file) => File.ReadAllText(Path.Combine(Group(process), file)).Trim();

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
