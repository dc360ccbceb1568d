using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>The memory of all processes at one moment of a soak, in bytes, in the order of their start.</summary>
internal sealed record SoakSample(double Minutes, IReadOnlyList<(Role Role, double Value)> Memory);

/// <summary>What happened to the messages of a soak.</summary>
internal sealed record SoakTraffic(long Expected, long Received, long Closed, long Refused, string? FirstFault, double P50, double P99)
{
    public bool IsWhole => Expected == Received && Closed == 0 && Refused == 0;
}

/// <summary>
/// The result of a soak. It has passed when nothing was lost and the memory of no service grows: its mean over the last ten minutes is
/// at most 3 % above that over the ten minutes before. A run of less than half an hour compares its last two thirds, which says little.
/// </summary>
internal sealed class SoakReport(SoakOptions options, SoakTraffic traffic, IReadOnlyList<SoakSample> samples)
{
    private const double AllowedGrowth = 0.03;
    private const double Compared = 10;
    private const double Megabyte = 1024 * 1024;

    /// <summary>These keep what they are given up to caps of their own: the tails of conversations, and the database.</summary>
    private static readonly Role[] Servers = [Role.Redis, Role.PostgreSql];

    private static readonly string[] Colours = ["#2563eb", "#0d9488", "#7c3aed", "#c2410c", "#db2777", "#65a30d", "#9ca3af"];

    /// <summary>The processes by name: the role, with a number if several share it.</summary>
    public IReadOnlyList<string> Names { get; } =
    [
        .. samples[0].Memory.Select((each, i) => samples[0].Memory.Count(other => other.Role == each.Role) == 1
            ? each.Role.ToString()
            : $"{each.Role} {samples[0].Memory.Take(i + 1).Count(other => other.Role == each.Role)}"),
    ];

    public bool HasPassed => traffic.IsWhole && Enumerable.Range(0, Names.Count).All(IsSteady);

    /// <summary>The part by which the mean of the last minutes exceeds that of the minutes before.</summary>
    public double Growth(int process) => Last(process) / Before(process) - 1;

    public string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine("# Soak").AppendLine();
        text.Append("`dotnet run -c Release --project Benchmarks -- soak ");
        text.AppendLine(Invariant, $"--minutes {options.Minutes:0.#} --connections {options.Connections}`").AppendLine();
        text.AppendLine($"{Machine.Describe()}.").AppendLine();
        text.AppendLine(SoakCommand.Traffic).AppendLine();
        text.Append(Invariant, $"Deliveries {traffic.Expected:N0}, lost {traffic.Expected - traffic.Received:N0}, ");
        text.Append(Invariant, $"connections closed {traffic.Closed:N0}, refused {traffic.Refused:N0}. ");
        text.AppendLine(Invariant, $"Latency p50 {traffic.P50:N1} ms, p99 {traffic.P99:N1} ms. {traffic.FirstFault}").AppendLine();
        text.AppendLine(HasPassed ? "**Passed.**" : "**FAILED.**").AppendLine();
        text.AppendLine("![Memory of each process](soak.svg)").AppendLine();
        text.Append(Invariant, $"Resident memory (PSS) in MiB. The verdict compares the mean of the last {Minutes:0.#} minutes with ");
        text.AppendLine(Invariant, $"that of the {Minutes:0.#} before: no service may grow by more than {AllowedGrowth:P0}.").AppendLine();
        text.AppendLine("| process | before | last | growth | verdict |").AppendLine("|---|---|---|---|---|");
        for (var i = 0; i < Names.Count; i++)
        {
            var verdict = Servers.Contains(samples[0].Memory[i].Role) ? "" : IsSteady(i) ? "steady" : "**grows**";
            var (before, last) = (Before(i) / Megabyte, Last(i) / Megabyte);
            text.AppendLine(Invariant, $"| {Names[i]} | {before:N1} | {last:N1} | {Growth(i):P1} | {verdict} |");
        }
        text.AppendLine();
        text.AppendLine($"| minute | {string.Join(" | ", Names)} |").AppendLine($"|---|{string.Concat(Names.Select(_ => "---|"))}");
        foreach (var sample in samples)
        {
            var cells = sample.Memory.Select(each => (each.Value / Megabyte).ToString("N1", Invariant));
            text.AppendLine(Invariant, $"| {sample.Minutes:0.#} | {string.Join(" | ", cells)} |");
        }
        return text.ToString();
    }

    /// <summary>The curve of each process.</summary>
    public string Svg()
    {
        const int Left = 60, Top = 50, Width = 680, Height = 300;
        var most = samples.Max(sample => sample.Memory.Max(each => each.Value));
        var end = Math.Max(1, samples[^1].Minutes);
        var svg = new StringBuilder();
        svg.AppendLine("""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 400" """ +
            """font-family="sans-serif" font-size="12" fill="#1f2937">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="#ffffff"/>""");
        svg.AppendLine("""<text x="16" y="26" font-size="16" font-weight="bold">Resident memory of each process, MiB</text>""");
        for (var line = 0; line <= 4; line++)
        {
            var y = Top + Height - Height * line / 4;
            svg.AppendLine(Invariant, $"""<path d="M{Left} {y}h{Width}" stroke="#e5e7eb"/>""");
            svg.AppendLine(Invariant, $"""<text x="{Left - 8}" y="{y + 4}" text-anchor="end">{most / Megabyte * line / 4:N0}</text>""");
            var x = Left + Width * line / 4;
            svg.AppendLine(Invariant, $"""<text x="{x}" y="{Top + Height + 18}" text-anchor="middle">{end * line / 4:0.#} min</text>""");
        }
        for (var i = 0; i < Names.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            var points = samples.Select(sample => string.Create(Invariant,
                $"{Left + Width * sample.Minutes / end:0.#},{Top + Height - Height * sample.Memory[i].Value / most:0.#}"));
            svg.AppendLine($"""<polyline fill="none" stroke="{colour}" stroke-width="2" points="{string.Join(' ', points)}"/>""");
            svg.AppendLine($"""<text x="{Left + Width + 12}" y="{Top + 12 + i * 18}" fill="{colour}">{Names[i]}</text>""");
        }
        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>Minutes on each side of the comparison.</summary>
    private double Minutes => Math.Min(Compared, samples[^1].Minutes / 3);

    private double Last(int process) => Mean(process, samples[^1].Minutes - Minutes, samples[^1].Minutes);

    private double Before(int process) => Mean(process, samples[^1].Minutes - 2 * Minutes, samples[^1].Minutes - Minutes);

    /// <summary>The samples after <paramref name="from"/>, up to <paramref name="to"/>.</summary>
    private double Mean(int process, double from, double to) =>
        samples.Where(sample => sample.Minutes > from && sample.Minutes <= to).Average(sample => sample.Memory[process].Value);

    private bool IsSteady(int process) => Servers.Contains(samples[0].Memory[process].Role) || Growth(process) <= AllowedGrowth;
}
