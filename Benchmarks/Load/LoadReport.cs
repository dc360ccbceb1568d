using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>The tables of a run, in Markdown.</summary>
internal sealed class LoadReport(LoadOptions options, IReadOnlyList<Row> rows, IReadOnlyList<IdleMeasurement> memories)
{
    private const string Peer = "SignalR";

    public IReadOnlyList<Row> Rows { get; } = rows;

    public string Conditions { get; } =
        $"Medians of {options.Rounds} rounds in turn, windows of {options.Window.TotalSeconds:0.#} s after " +
        $"{options.Warmup.TotalSeconds:0.#} s of the same traffic. " +
        $"{Machine.Describe()}; servers, Redis, PostgreSQL and the load generator share it.";

    public Row? PeerOf(Row row) =>
        Rows.FirstOrDefault(other => other.System == Peer && other.Scenario == row.Scenario && other.Way == row.Way);

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine("# Load").AppendLine();
        text.AppendLine("`dotnet run -c Release --project Benchmarks -- load`: AspireChat with all its guarantees, and a SignalR " +
            "application with the Redis backplane (two replicas each, a gateway before them in the rows \"gateway\"), under the same " +
            "traffic of 200-byte messages. How it is measured and what the columns mean: [docs/performance-method.md](../../docs/performance-method.md).").AppendLine();
        text.AppendLine(Conditions).AppendLine();
        if (Rows.Count > 0)
        {
            AppendTraffic(text);
        }

        if (memories.Count > 0)
        {
            AppendMemory(text);
        }

        return text.ToString();
    }

    private void AppendTraffic(StringBuilder text)
    {
        text.AppendLine("CPU is CPU-seconds per million deliveries, lower is better; ratio is SignalR's by the row's.").AppendLine();
        text.AppendLine("| scenario | way | system | CPU | ratio | CPU with presence and persistence | ratio | of it gateway " +
            "| Redis | PostgreSQL | deliveries/s | deliveries per CPU-second | p50 ms | p99 ms | lost | closed | generator |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var row in Rows)
        {
            var peer = PeerOf(row);
            text.AppendLine(string.Join(" | ",
                "| " + row.Scenario, row.Way.ToString().ToLowerInvariant(), row.System,
                N1(row.PathPerMillion), Ratio(peer?.PathPerMillion / row.PathPerMillion, row),
                N1(row.AllPerMillion), Ratio(peer?.PathPerMillion / row.AllPerMillion, row),
                row.Way == Way.Gateway ? N1(row.GatewayPerMillion) : "", N1(row.RedisPerMillion), N1(row.PostgresPerMillion),
                N0(row.Rate), N0(1_000_000 / row.PathPerMillion), N1(row.P50), N1(row.P99), N0(row.Lost), N0(row.Closed),
                row.Generator.ToString("P0", CultureInfo.InvariantCulture) + " |"));
        }
        text.AppendLine();
    }

    private void AppendMemory(StringBuilder text)
    {
        text.AppendLine("Memory of idle connections: growth of resident private memory, KiB per connection; \"in a room\" after each has " +
            "joined one of 50 members.").AppendLine();
        text.AppendLine("| scenario | way | system | nodes | gateway | both | nodes, in a room | gateway | both |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var group in memories.GroupBy(each => (each.Scenario.Name, each.Way, each.System)))
        {
            double Median(Func<IdleMeasurement, double> value) => Machine.Median(group.Select(value));
            text.AppendLine(string.Join(" | ",
                "| " + group.Key.Name, group.Key.Way.ToString().ToLowerInvariant(), group.Key.System,
                N1(Median(each => each.Node)), N1(Median(each => each.Gateway)), N1(Median(each => each.Node + each.Gateway)),
                N1(Median(each => each.NodeInRoom)), N1(Median(each => each.GatewayInRoom)),
                N1(Median(each => each.NodeInRoom + each.GatewayInRoom)) + " |"));
        }
        text.AppendLine();
    }

    private static string Ratio(double? ratio, Row row) => row.System == Peer || ratio is null ? "" : $"**{N1(ratio.Value)}×**";

    private static string N0(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string N1(double value) => value.ToString("N1", CultureInfo.InvariantCulture);
}
