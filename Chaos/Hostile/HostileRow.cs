using System.Globalization;

namespace AspireChat.Chaos.Hostile;

/// <summary>Of a time that bystanders measured. Milliseconds.</summary>
internal sealed record Latency(double P50, double P99, double Worst, int Count)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{P50:0}/{P99:0}/{Worst:0}");
}

/// <summary>What one process did during an attack. MB and seconds.</summary>
internal sealed record ProcessCost(string Name, double Before, double Grew, double Left, double Cpu);

/// <summary>What one attack did to the others.</summary>
/// <param name="Work">Writes and calls of the attacker.</param>
/// <param name="Errors">What failed for bystanders, and how often.</param>
/// <param name="Health">Failed health checks, by process and answer, and how often.</param>
/// <param name="SettledAfter">Seconds after the attack until no process had more than the bound left.</param>
/// <param name="Redis">Milliseconds of the slowest call.</param>
internal sealed record HostileRow(
    string Attack,
    string What,
    string Budget,
    long Work,
    Latency Acknowledged,
    Latency Delivered,
    Latency Page,
    IReadOnlyDictionary<string, int> Errors,
    IReadOnlyDictionary<string, int> Health,
    IReadOnlyList<ProcessCost> Processes,
    double SettledAfter,
    double Redis,
    string RedisCall)
{
    /// <summary>What each process did at its limit of memory; empty without <c>--memory-limit</c>.</summary>
    public IReadOnlyList<MemoryAtLimit> Memory { get; init; } = [];

    /// <summary>The attack could not be measured: bystanders find no place any more, or the attacker could prepare nothing.</summary>
    public static HostileRow Unmeasured(string attack, string what, string budget, string why)
    {
        var none = new Latency(0, 0, 0, 0);
        return new HostileRow(
            attack, what, budget, 0, none, none, none, new Dictionary<string, int> { ["not measured: " + why] = 1 }, new Dictionary<string, int>(),
            [new ProcessCost("–", 0, 0, 0, 0)], 0, 0, "");
    }

    public ProcessCost Grew => Processes.MaxBy(process => process.Grew)!;

    public ProcessCost Left => Processes.MaxBy(process => process.Left)!;

    /// <summary>The bounds that were broken, in words; none: the attack did not hurt.</summary>
    public IReadOnlyList<string> Broken(HostileBounds bounds)
    {
        List<string> broken = [];
        foreach (var (name, latency) in new[] { ("ack", Acknowledged), ("delivery", Delivered), ("page", Page) })
        {
            if (latency.P99 >= bounds.Latency)
            {
                broken.Add(name);
            }
        }
        if (Errors.Values.Sum() > bounds.Errors || Acknowledged.Count == 0)
        {
            broken.Add("errors");
        }

        if (Health.Count > 0)
        {
            broken.Add("health");
        }

        if (Grew.Grew > bounds.Growth)
        {
            broken.Add("growth");
        }

        if (Left.Left > bounds.Left)
        {
            broken.Add("left");
        }

        if (Memory.Any(process => process.Kills > 0))
        {
            broken.Add("killed");
        }

        if (Redis >= bounds.Redis)
        {
            broken.Add("redis");
        }

        return broken;
    }
}
