using System.Globalization;
using System.Text;

namespace AspireChat.Benchmarks.Load;

/// <summary>CPU per million deliveries as bars, AspireChat's beside SignalR's and the limits', with the p99 of each.</summary>
internal static class LoadChart
{
    private const int Left = 230;
    private const int BarWidth = 420;
    private const int BarHeight = 15;
    private const int GroupGap = 14;
    private const int Top = 70;

    private static readonly string[] Colours = ["#2563eb", "#0d9488", "#7c3aed", "#c2410c"];

    public static string Svg(LoadReport report)
    {
        var systems = report.Rows.Select(row => row.System).Distinct().ToList();
        var groups = report.Rows.GroupBy(row => $"{row.Scenario}, {row.Way.ToString().ToLowerInvariant()}").ToList();
        var height = Top + groups.Sum(group => group.Count() * BarHeight + GroupGap) + 40;
        // A delivery in a small room costs ten times as much as one in a large room. On one scale the large rooms would be invisible.
        var svg = new StringBuilder();
        svg.AppendLine($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" """ +
            """font-family="sans-serif" font-size="12" fill="#1f2937">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="#ffffff"/>""");
        svg.AppendLine(
            """<text x="16" y="26" font-size="16" font-weight="bold">CPU-seconds per million deliveries (lower is better)</text>""");
        svg.AppendLine(
            """<text x="16" y="46">Each group on its own scale; all services and Redis. C# loop and nchan promise nothing.</text>""");
        for (var i = 0; i < systems.Count; i++)
        {
            svg.AppendLine($"""<rect x="{500 + i * 100}" y="16" width="12" height="12" fill="{Colour(systems, systems[i])}"/>""");
            svg.AppendLine($"""<text x="{516 + i * 100}" y="26">{systems[i]}</text>""");
        }
        var y = Top;
        foreach (var group in groups)
        {
            var most = group.Max(row => row.Total.Median);
            svg.AppendLine($"""<text x="{Left - 10}" y="{y + group.Count() * BarHeight / 2 + 4}" text-anchor="end">{group.Key}</text>""");
            foreach (var row in group)
            {
                var width = row.Total.Median / most * BarWidth;
                var ratio = row.Ratio is { } times ? $" ({N1(times.Median)}×)" : "";
                svg.AppendLine(
                    $"""<rect x="{Left}" y="{y}" width="{N1(width)}" height="{BarHeight - 2}" fill="{Colour(systems, row.System)}"/>""");
                var label = $"{N1(row.Total.Median)}{ratio} · p99 {N1(row.P99.Median)} ms";
                svg.AppendLine($"""<text x="{N1(Left + width + 6)}" y="{y + 11}">{label}</text>""");
                y += BarHeight;
            }
            y += GroupGap;
        }
        var conditions = report.Conditions.Replace("&", "&amp;", StringComparison.Ordinal);
        svg.AppendLine($"""<text x="16" y="{height - 14}" font-size="8.5" fill="#6b7280">{conditions}</text>""");
        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private static string Colour(List<string> systems, string system) =>
        system == LoadReport.Peer ? "#9ca3af" : Colours[systems.IndexOf(system) % Colours.Length];

    private static string N1(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
