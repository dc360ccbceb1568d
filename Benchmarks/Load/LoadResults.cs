namespace AspireChat.Benchmarks.Load;

/// <summary>One scenario in one round against one system.</summary>
/// <param name="Cpu">CPU seconds in the window, by process.</param>
/// <param name="GeneratorCpu">CPU seconds of the load generator in the window.</param>
internal sealed record Measurement(
    int Round, Scenario Scenario, Way Way, string System, Traffic Traffic, IReadOnlyList<(Role Role, double Value)> Cpu,
    double GeneratorCpu)
{
    /// <summary>CPU seconds per million deliveries of the processes of one role.</summary>
    public double PerMillion(Role role) =>
        Cpu.Where(each => each.Role == role).Sum(each => each.Value) * 1_000_000 / Math.Max(1, Traffic.WindowReceived);

    /// <summary>
    /// CPU seconds per million deliveries of everything that the system needs for them: all services, and Redis. A gateway that clients go
    /// past is no part of it. Nor is PostgreSQL, which stands beside it.
    /// </summary>
    public double Total => PerMillion(Role.Node) + Gateway + PerMillion(Role.Presence) + PerMillion(Role.Persistence)
        + PerMillion(Role.Redis);

    public double Gateway => Way == Way.Gateway ? PerMillion(Role.Gateway) : 0;
}

/// <summary>Figures over the rounds of one scenario, way and system. CPU is in seconds per million deliveries.</summary>
internal sealed record Row(string Scenario, Way Way, string System)
{
    /// <summary>All services and Redis.</summary>
    public required Spread Total { get; init; }

    /// <summary>The peer's total by this one's, round by round. Null for the peer itself, and where there is none.</summary>
    public required Spread? Ratio { get; init; }

    public required Spread Nodes { get; init; }

    /// <summary>Null, as the following, when the system has no such process or clients go past it.</summary>
    public required Spread? Gateway { get; init; }

    public required Spread? Presence { get; init; }

    public required Spread? Persistence { get; init; }

    public required Spread? Redis { get; init; }

    public required Spread? PostgreSql { get; init; }

    /// <summary>Deliveries per second in the window.</summary>
    public required Spread Rate { get; init; }

    /// <summary>Latency, in milliseconds.</summary>
    public required Spread P50 { get; init; }

    public required Spread P99 { get; init; }

    /// <summary>
    /// Messages lost, connections closed and messages refused. A sum over all rounds, not a median, because one is one too many.
    /// </summary>
    public required long Lost { get; init; }

    /// <summary>The load generator's share of one core.</summary>
    public required double Generator { get; init; }

    /// <param name="peer">The name of the system that ratios compare with.</param>
    public static List<Row> Of(IReadOnlyCollection<Measurement> measurements, string peer)
    {
        var peers = measurements.Where(each => each.System == peer).ToDictionary(each => (each.Scenario.Name, each.Way, each.Round));
        return
        [
            .. measurements.GroupBy(each => (each.Scenario.Name, each.Way, each.System)).Select(group =>
            {
                Spread Over(Func<Measurement, double> value) => Spread.Of(group.Select(value));
                Spread? Part(Role role) =>
                    group.All(each => each.Cpu.Any(process => process.Role == role)) ? Over(each => each.PerMillion(role)) : null;
                List<double> ratios = [];
                foreach (var each in group.Where(each => each.System != peer))
                {
                    if (peers.GetValueOrDefault((each.Scenario.Name, each.Way, each.Round)) is { } other)
                    {
                        ratios.Add(other.Total / each.Total);
                    }
                }
                return new Row(group.Key.Name, group.Key.Way, group.Key.System)
                {
                    Total = Over(each => each.Total),
                    Ratio = ratios.Count > 0 ? Spread.Of(ratios) : null,
                    Nodes = Over(each => each.PerMillion(Role.Node)),
                    Gateway = group.Key.Way == Way.Gateway ? Part(Role.Gateway) : null,
                    Presence = Part(Role.Presence),
                    Persistence = Part(Role.Persistence),
                    Redis = Part(Role.Redis),
                    PostgreSql = Part(Role.PostgreSql),
                    Rate = Over(each => each.Traffic.WindowReceived / each.Traffic.Seconds),
                    P50 = Over(each => each.Traffic.P50),
                    P99 = Over(each => each.Traffic.P99),
                    Lost = group.Sum(each => each.Traffic.Expected - each.Traffic.Received + each.Traffic.Closed + each.Traffic.Refused),
                    Generator = Machine.Median(group.Select(each => each.GeneratorCpu / each.Traffic.Seconds)),
                };
            }),
        ];
    }
}
