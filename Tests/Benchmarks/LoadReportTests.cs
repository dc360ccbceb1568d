using AspireChat.Benchmarks.Load;

namespace AspireChat.Tests.Benchmarks;

public sealed class LoadReportTests
{
    private static readonly Scenario Busy = Scenario.All.First(scenario => scenario.Name == "room-200-200");
    private static readonly Scenario Sparse = Scenario.All.First(scenario => scenario.Name == "room-200-20");

    [Fact]
    public void A_spread_has_the_median_and_both_ends()
    {
        var spread = Spread.Of([3, 1, 10, 2]);

        Assert.Equal(new Spread(2.5, 1, 10), spread);
        Assert.Equal("2.5 (1.0–10.0)", spread.Text());
        Assert.Equal(3.6, spread.Share, precision: 10);
        Assert.Equal("4.0", Spread.Of([4]).Text());
    }

    [Fact]
    public void The_total_counts_every_service_and_Redis_and_neither_PostgreSQL_nor_a_gateway_that_is_not_on_the_way()
    {
        var direct = Measured(Busy, Way.Direct, LoadReport.Ours, node: 8);

        // Two nodes of 4 s, and 1, 2, 4, 8 s of presence, persistence, Redis and the gateway, for a million deliveries.
        Assert.Equal(8 + 1 + 2 + 4, direct.Total, precision: 6);
        Assert.Equal(8 + 1 + 2 + 4 + 8, (direct with { Way = Way.Gateway }).Total, precision: 6);
        Assert.Equal(100, direct.PerMillion(Role.PostgreSql), precision: 6);
    }

    [Fact]
    public void The_ratio_is_taken_round_by_round()
    {
        // The machine is half as fast in the second round, for both.
        List<Measurement> measurements =
        [
            Measured(Busy, Way.Direct, LoadReport.Ours, node: 3), Peer(Busy, Way.Direct, node: 26),
            Measured(Busy, Way.Direct, LoadReport.Ours, node: 13, round: 1), Peer(Busy, Way.Direct, node: 56, round: 1),
        ];

        var row = Row.Of(measurements, LoadReport.Peer).Single(row => row.System == LoadReport.Ours);

        Assert.Equal(new Spread(3, 3, 3), row.Ratio);
        Assert.Equal(new Spread(15, 10, 20), row.Total);
        Assert.Null(Row.Of(measurements, LoadReport.Peer).Single(row => row.System == LoadReport.Peer).Ratio);
    }

    [Fact]
    public void What_was_lost_is_summed_over_the_rounds()
    {
        var lossy = Measured(Busy, Way.Direct, LoadReport.Ours, node: 1) with
        {
            Traffic = Flow with { Expected = 10, Received = 8, Closed = 3, Refused = 1 },
        };

        Assert.Equal(6, Row.Of([lossy, Measured(Busy, Way.Direct, LoadReport.Ours, node: 1, round: 1)], LoadReport.Peer).Single().Lost);
    }

    [Fact]
    public void The_claim_begins_with_the_worst_row()
    {
        var report = ReportOf(
            Measured(Busy, Way.Direct, LoadReport.Ours, node: 3), Peer(Busy, Way.Direct, node: 36),
            Measured(Sparse, Way.Gateway, LoadReport.Ours, node: 25), Peer(Sparse, Way.Gateway, node: 16));

        Assert.Contains("0.5× (worst row) to 4.0× (best row)", report.Claim(), StringComparison.Ordinal);
        Assert.Contains($"> {report.Claim()}", report.Markdown(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_claim_has_the_memory_of_a_connection_at_node_and_gateway()
    {
        List<Row> rows = Row.Of([Measured(Busy, Way.Direct, LoadReport.Ours, node: 3), Peer(Busy, Way.Direct, node: 36)], LoadReport.Peer);
        var rest = AtRest(round: 0, slope: 8) with
        {
            Way = Way.Gateway,
            Slope = new Dictionary<Role, double> { [Role.Node] = 8, [Role.Gateway] = 3.5 },
        };

        var report = new LoadReport(LoadOptions.Parse([]), rows, [rest, rest with { System = LoadReport.Peer }]);

        Assert.EndsWith("takes 11.5 KiB of a node and a gateway, SignalR's 11.5 KiB.", report.Claim(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_peer_nothing_is_claimed() =>
        Assert.Null(ReportOf(Measured(Busy, Way.Direct, LoadReport.Ours, node: 3)).Claim());

    [Fact]
    public void A_goal_that_was_missed_is_reported()
    {
        var rows = ReportOf(
            Measured(Busy, Way.Direct, LoadReport.Ours, node: 3), Peer(Busy, Way.Direct, node: 36),
            Measured(Sparse, Way.Gateway, LoadReport.Ours, node: 25), Peer(Sparse, Way.Gateway, node: 16)).Rows;

        var goals = Goals.Of(rows, []).Where(goal => goal.What.Contains("ratio", StringComparison.Ordinal));

        Assert.Equal([("room-200-200, direct: ratio ≥ 3×", true), ("room-200-20, gateway: ratio ≥ 1.8×", false)],
            goals.Select(goal => (goal.What, goal.IsReached)));
    }

    [Fact]
    public void At_rest_services_are_all_processes_but_the_two_servers()
    {
        var row = RestRow.Of([AtRest(round: 0, slope: 8), AtRest(round: 1, slope: 10)]).Single();

        Assert.Equal(3 + 5 + 1 + 2 + 8, row.Idle.Services.Median);
        Assert.Equal(new Spread(4, 3, 5), row.Idle.EachNode);
        Assert.Equal(new Spread(9, 8, 10), row.Node);
        Assert.Null(row.NodeAfterStorm);
        Assert.Contains(Goals.Of([], [row]), goal => goal.What.StartsWith("node", StringComparison.Ordinal) && !goal.IsReached);
    }

    [Fact]
    public void The_slope_is_the_growth_per_added_connection()
    {
        var few = new Dictionary<Role, double> { [Role.Node] = 50 * 1024 };
        var many = new Dictionary<Role, double> { [Role.Node] = (50 + 9.0 * (Rest.Many - Rest.Few)) * 1024 };

        Assert.Equal(9, Rest.Slope(few, many)[Role.Node], precision: 6);
    }

    private static Traffic Flow { get; } = new(
        Sent: 5_000, Expected: 1_000_000, Received: 1_000_000, Closed: 0, Refused: 0, WindowSent: 5_000, WindowReceived: 1_000_000,
        Seconds: 5, P50: 1, P99: 2);

    private static List<(Role, double)> Processes(double node) =>
    [
        (Role.Redis, 4), (Role.PostgreSql, 100), (Role.Persistence, 2), (Role.Presence, 1), (Role.Node, node / 2), (Role.Node, node / 2),
        (Role.Gateway, 8),
    ];

    private static Measurement Measured(Scenario scenario, Way way, string system, double node, int round = 0) =>
        new(round, scenario, way, system, Flow, Processes(node), GeneratorCpu: 1);

    private static Measurement Peer(Scenario scenario, Way way, double node, int round = 0) =>
        new(round, scenario, way, LoadReport.Peer, Flow,
            [(Role.Redis, 4), (Role.Node, node - (way == Way.Gateway ? 8 : 0)), (Role.Gateway, 8)], GeneratorCpu: 1);

    private static RestMeasurement AtRest(int round, double slope) => new(
        round, Way.Direct, LoadReport.Ours, Processes(node: 8),
        [
            (Role.Redis, 4), (Role.PostgreSql, 100), (Role.Persistence, 2), (Role.Presence, 1), (Role.Node, 3), (Role.Node, 5),
            (Role.Gateway, 8),
        ],
        new Dictionary<Role, double> { [Role.Node] = slope, [Role.Gateway] = 0 }, AfterStorm: null);

    private static LoadReport ReportOf(params Measurement[] measurements) =>
        new(LoadOptions.Parse([]), Row.Of(measurements, LoadReport.Peer), []);
}
