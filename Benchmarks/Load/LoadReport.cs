using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>The tables of a run, in Markdown.</summary>
internal sealed class LoadReport(LoadOptions options, IReadOnlyList<Row> rows, IReadOnlyList<RestMeasurement> rests)
{
    public const string Ours = "AspireChat";
    public const string Peer = "SignalR";

    public IReadOnlyList<Row> Rows { get; } = rows;

    public IReadOnlyList<RestRow> RestRows { get; } = RestRow.Of(rests);

    public string Conditions { get; } =
        $"{Rounds(options.Rounds)} in turn, windows of {options.Window.TotalSeconds:0.#} s after {options.Warmup.TotalSeconds:0.#} s of " +
        $"the same traffic. {Machine.Describe()}; servers, Redis, PostgreSQL and the load generator share it.";

    /// <summary>
    /// What may be said in two sentences: the CPU of all rows, the worst ratio first, and the memory of an idle connection. Null when it
    /// was not measured. README and docs/performance.md say it in the same words, and a test compares them.
    /// </summary>
    public string? Claim()
    {
        var own = Rows.Where(row => row is { System: Ours, Ratio: not null }).OrderBy(row => row.Ratio!.Value.Median).ToList();
        if (own.Count == 0)
        {
            return null;
        }

        var (worst, best) = (own[0].Ratio!.Value.Median, own[^1].Ratio!.Value.Median);
        var cpu = "With all services and Redis counted on both sides, SignalR with its Redis backplane needs " +
            $"{N1(worst)}× (worst row) to {N1(best)}× (best row) AspireChat's CPU per delivery.";
        return BothPerConnection(Ours) is { } ours && BothPerConnection(Peer) is { } theirs
            ? $"{cpu} An idle connection in a room takes {N1(ours)} KiB of a node and a gateway, SignalR's {N1(theirs)} KiB."
            : cpu;
    }

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine("# Load").AppendLine();
        text.AppendLine("`dotnet run -c Release --project Benchmarks -- load`: AspireChat with all its guarantees, and a SignalR " +
            "application with the Redis backplane (two replicas each, a gateway before them in the rows \"gateway\"), under the same " +
            "traffic of 200-byte messages. \"C# loop\" and \"nchan\" promise nothing: they are the limits. How it is measured: " +
            "[docs/performance-method.md](../../docs/performance-method.md). Every round's figures: [load.csv](load.csv).").AppendLine();
        text.AppendLine(Conditions).AppendLine();
        if (Claim() is { } claim)
        {
            text.AppendLine($"> {claim}").AppendLine();
        }

        if (Rows.Count > 0)
        {
            AppendTraffic(text);
        }

        if (RestRows.Count > 0)
        {
            AppendRest(text);
        }

        AppendGoals(text);
        return text.ToString();
    }

    private double? BothPerConnection(string system) =>
        RestRows.FirstOrDefault(row => row.System == system && row.Gateway is not null) is { } row
            ? row.Node.Median + row.Gateway!.Value.Median
            : null;

    private void AppendTraffic(StringBuilder text)
    {
        text.AppendLine("## Deliveries").AppendLine();
        text.AppendLine("CPU-seconds per million deliveries, lower is better: medians, and (least–most) of the rounds. **Services + " +
            "Redis** is everything on the way and beside it: nodes, gateway, presence, persistence and Redis. The ratio is SignalR's " +
            "total by the row's. PostgreSQL stands beside it. \"Lost\" counts lost messages, closed connections and refused messages of " +
            "all rounds.").AppendLine();
        text.AppendLine("| scenario | way | system | services + Redis | ratio | nodes | gateway | presence | persistence | Redis " +
            "| PostgreSQL | p50 ms | p99 ms | deliveries/s | lost |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var row in Rows)
        {
            text.AppendLine(string.Join(" | ",
                "| " + row.Scenario, Name(row.Way), row.System, $"**{N1(row.Total.Median)}**{Range(row.Total)}",
                row.Ratio is { } ratio ? $"**{N1(ratio.Median)}×**{Range(ratio)}" : "",
                row.Nodes.Text(), Text(row.Gateway), Text(row.Presence), Text(row.Persistence), Text(row.Redis),
                Text(row.PostgreSql), row.P50.Text(), row.P99.Text(),
                row.Rate.Median.ToString("N0", Invariant), row.Lost.ToString("N0", Invariant) + " |"));
        }
        text.AppendLine();
        text.AppendLine(Invariant, $"The load generator used at most {Rows.Max(row => row.Generator):P0} of one core.").AppendLine();
        if (options.Limits && !NchanSystem.IsInstalled)
        {
            text.AppendLine("nchan was not measured: it is not installed here (Debian's `libnginx-mod-nchan`).").AppendLine();
        }
    }

    private void AppendRest(StringBuilder text)
    {
        text.AppendLine("## At rest").AppendLine();
        var rounds = Rounds(rests.Max(each => each.Round) + 1);
        text.AppendLine($"CPU in ms per second over 20 s, from 30 s after the start, or after the last of {Rest.Many:N0} idle " +
            $"connections in rooms of ten. Medians and (least–most) of {rounds}. Services are nodes, gateway, presence and persistence. " +
            "With the way \"direct\" the gateway runs too, and nobody uses it.").AppendLine();
        text.AppendLine("| connections | way | system | services | each node | gateway | presence | persistence | Redis | PostgreSQL |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var row in RestRows)
        {
            text.AppendLine(CpuLine("0", row, row.Empty));
        }
        foreach (var row in RestRows)
        {
            text.AppendLine(CpuLine(Rest.Many.ToString("N0", Invariant), row, row.Idle));
        }
        text.AppendLine();
        text.AppendLine(
            $"Memory per connection in KiB: the growth of resident memory (PSS) between {Rest.Few:N0} and {Rest.Many:N0} connections. " +
            "\"After a storm\": all have left and come back.").AppendLine();
        text.AppendLine("| way | system | node | gateway | node after a storm | gateway after a storm |");
        text.AppendLine("|---|---|---|---|---|---|");
        foreach (var row in RestRows)
        {
            text.AppendLine(string.Join(" | ",
                "| " + Name(row.Way), row.System, Text(row.Node), Text(row.Gateway), Text(row.NodeAfterStorm),
                Text(row.GatewayAfterStorm) + " |"));
        }
        text.AppendLine();
    }

    private void AppendGoals(StringBuilder text)
    {
        var goals = Goals.Of(Rows, RestRows);
        if (goals.Count == 0)
        {
            return;
        }

        text.AppendLine("## Goals").AppendLine();
        text.AppendLine("| goal | figure | reached |").AppendLine("|---|---|---|");
        foreach (var goal in goals)
        {
            text.AppendLine($"| {goal.What} | {goal.Figure} | {(goal.IsReached ? "yes" : "**no**")} |");
        }
        text.AppendLine();
    }

    private static string CpuLine(string connections, RestRow row, RestCpu cpu) => string.Join(" | ",
        "| " + connections, Name(row.Way), row.System, $"**{N1(cpu.Services.Median)}**{Range(cpu.Services)}",
        Text(cpu.EachNode), Text(cpu.Of(Role.Gateway)), Text(cpu.Of(Role.Presence)),
        Text(cpu.Of(Role.Persistence)), Text(cpu.Of(Role.Redis)), Text(cpu.Of(Role.PostgreSql)) + " |");

    private static string Rounds(int count) => count == 1 ? "1 round" : $"{count} rounds";

    /// <summary>Empty where the system has no such process.</summary>
    private static string Text(Spread? spread) => spread?.Text() ?? "";

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    private static string Name(Way way) => way.ToString().ToLowerInvariant();

    private static string Range(Spread spread) => spread.Text()[N1(spread.Median).Length..];

    private static string N1(double value) => value.ToString("N1", Invariant);
}
