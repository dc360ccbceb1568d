namespace AspireChat.Benchmarks.Load;

/// <summary>One scenario in one round against one system.</summary>
/// <param name="Cpu">CPU seconds in the window, by role.</param>
/// <param name="GeneratorCpu">CPU seconds of the load generator in the window.</param>
internal sealed record Measurement(
    Scenario Scenario, Way Way, string System, Traffic Traffic, IReadOnlyDictionary<Role, double> Cpu, double GeneratorCpu)
{
    /// <summary>CPU seconds of the processes that a message passes: the nodes, and the gateway if it is in the way.</summary>
    public double PathCpu => Cpu[Role.Node] + (Way == Way.Gateway ? Cpu[Role.Gateway] : 0);

    /// <summary>The same plus the services that persist and keep presence. SignalR has none.</summary>
    public double AllCpu => PathCpu + Cpu[Role.Presence] + Cpu[Role.Persistence];

    public double PerMillion(double cpu) => cpu * 1_000_000 / Math.Max(1, Traffic.WindowReceived);
}

/// <summary>Memory of idle connections of one system in one round, in KiB per connection.</summary>
internal sealed record IdleMeasurement(
    Scenario Scenario, Way Way, string System, double Node, double Gateway, double NodeInRoom, double GatewayInRoom);

/// <summary>Medians over the rounds of one scenario, way and system.</summary>
internal sealed record Row(string Scenario, Way Way, string System)
{
    public required double PathPerMillion { get; init; }

    public required double AllPerMillion { get; init; }

    public required double GatewayPerMillion { get; init; }

    public required double RedisPerMillion { get; init; }

    public required double PostgresPerMillion { get; init; }

    /// <summary>Deliveries per second in the window.</summary>
    public required double Rate { get; init; }

    public required double P50 { get; init; }

    public required double P99 { get; init; }

    /// <summary>Sums over all rounds, not medians, because one lost message is one too many.</summary>
    public required long Lost { get; init; }

    public required long Closed { get; init; }

    /// <summary>The load generator's share of one core.</summary>
    public required double Generator { get; init; }

    public static List<Row> Of(IEnumerable<Measurement> measurements) =>
    [
        .. measurements.GroupBy(each => (each.Scenario.Name, each.Way, each.System)).Select(group =>
        {
            double Median(Func<Measurement, double> value) => Machine.Median(group.Select(value));
            return new Row(group.Key.Name, group.Key.Way, group.Key.System)
            {
                PathPerMillion = Median(each => each.PerMillion(each.PathCpu)),
                AllPerMillion = Median(each => each.PerMillion(each.AllCpu)),
                GatewayPerMillion = Median(each => each.PerMillion(each.Cpu[Role.Gateway])),
                RedisPerMillion = Median(each => each.PerMillion(each.Cpu[Role.Redis])),
                PostgresPerMillion = Median(each => each.PerMillion(each.Cpu[Role.PostgreSql])),
                Rate = Median(each => each.Traffic.WindowReceived / each.Traffic.Seconds),
                P50 = Median(each => each.Traffic.P50),
                P99 = Median(each => each.Traffic.P99),
                Lost = group.Sum(each => each.Traffic.Expected - each.Traffic.Received),
                Closed = group.Sum(each => each.Traffic.Closed + each.Traffic.Refused),
                Generator = Median(each => each.GeneratorCpu / each.Traffic.Seconds),
            };
        }),
    ];
}
