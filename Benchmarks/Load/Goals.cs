using System.Globalization;

namespace AspireChat.Benchmarks.Load;

/// <summary>One goal of the project, and what a run says about it.</summary>
internal sealed record Goal(string What, string Figure, bool IsReached);

/// <summary>The goals, as ratios in one run. Goals whose rows were not measured are left out.</summary>
internal static class Goals
{
    private const string Loop = "C# loop";
    private const double MostEmpty = 15;
    private const double MostIdle = 25;
    private const double MostNode = 9;
    private const double MostGateway = 4;
    private const double MostApart = 0.2;
    private const double MostOverLoop = 1.5;
    private const double MostLatencyOverLoop = 2;

    private static readonly (string Scenario, Way Way, double Least)[] Ratios =
    [
        ("room-200-200", Way.Direct, 3), ("room-200-20", Way.Direct, 1.5), ("room-1000-20", Way.Direct, 1.8),
        ("rooms-100x10", Way.Direct, 2.5), ("room-200-200", Way.Gateway, 2.5), ("room-200-20", Way.Gateway, 1.8),
        ("room-1000-20", Way.Gateway, 1.8), ("rooms-100x10", Way.Gateway, 2.5),
    ];

    private static readonly string[] LargeRooms = ["room-200-200", "room-200-20", "room-1000-20"];

    public static List<Goal> Of(IReadOnlyList<Row> rows, IReadOnlyList<RestRow> rests) =>
        [.. OfCpu(rows), .. OfLatency(rows), .. OfRest(rests)];

    private static IEnumerable<Goal> OfCpu(IReadOnlyList<Row> rows)
    {
        foreach (var (scenario, way, least) in Ratios)
        {
            if (Find(rows, scenario, way, LoadReport.Ours)?.Ratio is { } ratio)
            {
                yield return new Goal($"{scenario}, {Name(way)}: ratio ≥ {Text(least)}×", $"{ratio.Text()}×", ratio.Median >= least);
            }
        }
        foreach (var scenario in LargeRooms)
        {
            if (Find(rows, scenario, Way.Direct, LoadReport.Ours) is { } row && Find(rows, scenario, Way.Direct, Loop) is { } loop)
            {
                var times = row.Nodes.Median / loop.Nodes.Median;
                yield return new Goal(
                    $"{scenario}, direct: nodes within {Text(MostOverLoop)}× of the C# loop", $"{Text(times)}×", times <= MostOverLoop);
            }
        }
    }

    private static IEnumerable<Goal> OfLatency(IReadOnlyList<Row> rows)
    {
        foreach (var row in rows.Where(row => row.System == LoadReport.Ours))
        {
            if (Find(rows, row.Scenario, row.Way, LoadReport.Peer) is { } peer)
            {
                yield return new Goal($"{row.Scenario}, {Name(row.Way)}: p50 and p99 not above SignalR's, ms",
                    $"{Text(row.P50.Median)} and {Text(row.P99.Median)}, SignalR {Text(peer.P50.Median)} and {Text(peer.P99.Median)}",
                    row.P50.Median <= peer.P50.Median && row.P99.Median <= peer.P99.Median);
            }
        }
        if (Find(rows, "room-200-200", Way.Direct, LoadReport.Ours) is { } own && Find(rows, "room-200-200", Way.Direct, Loop) is { } loop)
        {
            yield return new Goal($"room-200-200, direct: p99 within {Text(MostLatencyOverLoop)}× of the C# loop's, ms",
                $"{Text(own.P99.Median)}, loop {Text(loop.P99.Median)}", own.P99.Median <= MostLatencyOverLoop * loop.P99.Median);
        }
    }

    private static IEnumerable<Goal> OfRest(IReadOnlyList<RestRow> rests)
    {
        foreach (var row in rests.Where(row => row.System == LoadReport.Ours))
        {
            var peer = rests.FirstOrDefault(other => other.System == LoadReport.Peer && other.Way == row.Way);
            yield return Cpu("nobody connected", row.Way, row.Empty.Services, peer?.Empty.Services, MostEmpty);
            yield return Cpu($"{Rest.Many:N0} idle", row.Way, row.Idle.Services, peer?.Idle.Services, MostIdle);
            yield return Memory("node", row.Way, row.Node, MostNode);
            if (row.Gateway is { } gateway)
            {
                yield return Memory("gateway", row.Way, gateway, MostGateway);
            }
        }
    }

    private static Goal Cpu(string when, Way way, Spread own, Spread? peer, double most) => new(
        $"{when}, {Name(way)}: services ≤ {Text(most)} ms/s and below SignalR's",
        own.Text() + (peer is null ? "" : $", SignalR {peer.Value.Text()}"),
        own.Median <= most && (peer is null || own.Median < peer.Value.Median));

    private static Goal Memory(string what, Way way, Spread spread, double most) => new(
        $"{what}, {Name(way)}: ≤ {Text(most)} KiB per connection, runs within {MostApart * 100:0} %", spread.Text(),
        spread.Median <= most && spread.Share <= MostApart);

    private static Row? Find(IReadOnlyList<Row> rows, string scenario, Way way, string system) =>
        rows.FirstOrDefault(row => row.Scenario == scenario && row.Way == way && row.System == system);

    private static string Name(Way way) => way.ToString().ToLowerInvariant();

    private static string Text(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
