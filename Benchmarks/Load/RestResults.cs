namespace AspireChat.Benchmarks.Load;

/// <summary>CPU at rest over the rounds, in milliseconds per second.</summary>
internal sealed class RestCpu(IReadOnlyList<IReadOnlyList<(Role Role, double Value)>> rounds)
{
    private static readonly Role[] Servers = [Role.Redis, Role.PostgreSql];

    /// <summary>All processes but Redis and PostgreSQL.</summary>
    public Spread Services { get; } =
        Spread.Of(rounds.Select(processes => processes.Where(each => !Servers.Contains(each.Role)).Sum(each => each.Value)));

    /// <summary>Each node of each round by itself.</summary>
    public Spread EachNode { get; } =
        Spread.Of(rounds.SelectMany(processes => processes.Where(each => each.Role == Role.Node)).Select(each => each.Value));

    /// <summary>Null when the system has no such process.</summary>
    public Spread? Of(Role role) => rounds[0].Any(each => each.Role == role)
        ? Spread.Of(rounds.Select(processes => processes.Where(each => each.Role == role).Sum(each => each.Value)))
        : null;
}

/// <summary>Figures at rest over the rounds of one way and system. Memory is in KiB per connection.</summary>
internal sealed record RestRow(Way Way, string System)
{
    public required RestCpu Empty { get; init; }

    public required RestCpu Idle { get; init; }

    public required Spread Node { get; init; }

    /// <summary>Null when clients go past the gateway, or there is none.</summary>
    public required Spread? Gateway { get; init; }

    public required Spread? NodeAfterStorm { get; init; }

    public required Spread? GatewayAfterStorm { get; init; }

    public static List<RestRow> Of(IEnumerable<RestMeasurement> measurements) =>
    [
        .. measurements.GroupBy(each => (each.Way, each.System)).OrderBy(group => group.Key.Way).Select(group =>
        {
            Spread? Memory(Role role, Func<RestMeasurement, IReadOnlyDictionary<Role, double>?> read)
            {
                List<double> values = [.. group.Select(read).OfType<IReadOnlyDictionary<Role, double>>()
                    .Where(memory => memory.ContainsKey(role)).Select(memory => memory[role])];
                return values.Count > 0 && (role != Role.Gateway || group.Key.Way == Way.Gateway) ? Spread.Of(values) : null;
            }
            return new RestRow(group.Key.Way, group.Key.System)
            {
                Empty = new RestCpu([.. group.Select(each => each.Empty)]),
                Idle = new RestCpu([.. group.Select(each => each.Idle)]),
                Node = Memory(Role.Node, each => each.Slope)!.Value,
                Gateway = Memory(Role.Gateway, each => each.Slope),
                NodeAfterStorm = Memory(Role.Node, each => each.AfterStorm),
                GatewayAfterStorm = Memory(Role.Gateway, each => each.AfterStorm),
            };
        }),
    ];
}
