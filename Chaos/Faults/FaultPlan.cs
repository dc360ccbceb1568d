namespace AspireChat.Chaos.Faults;

/// <summary>The schedule of a seed. The same seed and number of faults give the same faults in the same order.</summary>
internal static class FaultPlan
{
    public const string Clients = "clients";

    /// <summary>Kills of one process are at least this many faults apart, so that most of them hit a working system.</summary>
    private const int KillDistance = 8;

    private static readonly (FaultKind Kind, string Target, int Weight)[] Menu =
    [
        (FaultKind.Kill, "connection-0", 5), (FaultKind.Kill, "connection-1", 5), (FaultKind.Kill, "gateway", 3),
        (FaultKind.Kill, "persistence", 6), (FaultKind.Kill, "presence", 2), (FaultKind.Kill, "redis", 4), (FaultKind.Kill, "postgres", 3),
        (FaultKind.Pause, "connection-0", 3), (FaultKind.Pause, "connection-1", 3), (FaultKind.Pause, "gateway", 2),
        (FaultKind.Pause, "persistence", 3), (FaultKind.Pause, "presence", 1), (FaultKind.Pause, "redis", 4),
        (FaultKind.Pause, "postgres", 4),
        (FaultKind.PubSub, "redis", 14),
        (FaultKind.Delay, "redis", 3), (FaultKind.Delay, "postgres", 2), (FaultKind.Delay, Clients, 3),
        (FaultKind.Cut, "redis", 4), (FaultKind.Cut, "postgres", 3), (FaultKind.Cut, Clients, 6),
        (FaultKind.HalfOpen, "redis", 3), (FaultKind.HalfOpen, "postgres", 2), (FaultKind.HalfOpen, Clients, 4),
        (FaultKind.Slice, "redis", 3), (FaultKind.Slice, "postgres", 2), (FaultKind.Slice, Clients, 3),
        (FaultKind.Wipe, "redis", 4),
    ];

    /// <param name="only">Kinds, or <c>kind:target</c>, separated by commas. Empty means every fault.</param>
    /// <exception cref="FormatException">No fault fits <paramref name="only"/>.</exception>
    public static IReadOnlyList<PlannedFault> Make(int seed, int count, string only = "")
    {
        var random = new Random(seed);
        var wanted = only.Split(',', StringSplitOptions.RemoveEmptyEntries);
        var menu = Menu.Where(entry => IsWanted(entry.Kind, entry.Target, wanted)).ToArray();
        if (menu.Length == 0)
        {
            throw new FormatException($"No fault is called '{only}'.");
        }
        // A short run still has one fault of each important kind, so that its coverage does not depend on luck.
        List<(FaultKind Kind, string Target)> first =
        [
            (FaultKind.Kill, random.Next(2) == 0 ? "connection-0" : "connection-1"), (FaultKind.PubSub, "redis"),
            (FaultKind.Kill, "persistence"),
            (FaultKind.Cut, Clients), (FaultKind.Pause, "redis"), (FaultKind.Slice, "redis"), (FaultKind.Kill, "redis"),
            (FaultKind.HalfOpen, Clients), (FaultKind.Wipe, "redis"), (FaultKind.Pause, "postgres"),
        ];
        var shuffled = first.Where(fault => IsWanted(fault.Kind, fault.Target, wanted)).ToArray();
        random.Shuffle(shuffled);
        var faults = new List<PlannedFault>(count);
        var total = menu.Sum(entry => entry.Weight);
        // With few faults to choose from, the distance between kills could leave none.
        var distance = Math.Min(KillDistance, menu.Length - 1);
        while (faults.Count < count)
        {
            var (kind, target) = faults.Count < shuffled.Length ? shuffled[faults.Count] : Pick(menu, random, total);
            if (faults.Count >= shuffled.Length && kind == FaultKind.Kill &&
                faults.TakeLast(distance).Any(fault => fault.Kind == FaultKind.Kill && fault.Target == target))
            {
                continue;
            }

            var length = kind is FaultKind.Cut ? random.Next(0, 800) : random.Next(500, 3_000);
            faults.Add(new PlannedFault(
                faults.Count + 1, kind, target, TimeSpan.FromMilliseconds(random.Next(300, 1_200)), TimeSpan.FromMilliseconds(length)));
        }
        return faults;
    }

    private static bool IsWanted(FaultKind kind, string target, string[] wanted) => wanted.Length == 0 || wanted.Any(name =>
        name.Split(':') is var parts && parts[0].Equals(kind.ToString(), StringComparison.OrdinalIgnoreCase)
        && (parts.Length == 1 || target.StartsWith(parts[1], StringComparison.OrdinalIgnoreCase)));

    private static (FaultKind Kind, string Target) Pick((FaultKind Kind, string Target, int Weight)[] menu, Random random, int total)
    {
        var place = random.Next(total);
        foreach (var (kind, target, weight) in menu)
        {
            place -= weight;
            if (place < 0)
            {
                return (kind, target);
            }
        }
        throw new InvalidOperationException("The weights do not add up.");
    }
}
