using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AspireChat.Chaos.Hostile;

/// <summary>All rows of a run, to be printed or written to a file.</summary>
internal sealed record HostileReport(ChaosOptions Options, HostileBounds Bounds, IReadOnlyList<HostileRow> Rows)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Heading { get; } =
        $"{"attack",-20} {"work",8} {"ack ms",-14} {"delivery ms",-14} {"page ms",-14} {"grew MB",-18} {"left MB",-18} {"after",5} "
        + $"{"redis ms",-20} {"cpu s",5}  verdict";

    public bool Passed => Rows.Count > 0 && Rows.All(row => row.Broken(Bounds).Count == 0);

    /// <summary>The table's line of an attack, and below it what went wrong.</summary>
    public static string Line(HostileRow row, HostileBounds bounds)
    {
        var broken = row.Broken(bounds);
        var text = new StringBuilder(string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Attack,-20} {row.Work,8} {row.Acknowledged,-14} {row.Delivered,-14} {row.Page,-14} {Of(row.Grew, row.Grew.Grew),-18} "));
        text.Append(CultureInfo.InvariantCulture, $"{Of(row.Left, row.Left.Left),-18} {row.SettledAfter,5:0} {Slowest(row),-20} ");
        text.Append(CultureInfo.InvariantCulture, $"{row.Processes.Sum(process => process.Cpu),5:0.0}  ");
        text.Append(broken.Count == 0 ? "PASS" : "FAIL " + string.Join(' ', broken));
        foreach (var failure in Failures(row).Concat(row.Memory.Select(process => process.ToString())))
        {
            text.AppendLine().Append("    ").Append(failure);
        }

        return text.ToString();
    }

    public override string ToString()
    {
        var failed = Rows.Where(row => row.Broken(Bounds).Count > 0).ToList();
        var text = new StringBuilder().AppendLine().AppendLine(Heading);
        foreach (var row in Rows)
        {
            text.AppendLine(Line(row, Bounds));
        }

        text.Append(CultureInfo.InvariantCulture, $"{Rows.Count - failed.Count} of {Rows.Count} attacks hurt nobody. ");
        text.Append(Passed ? "PASS" : "FAIL");
        return text.ToString();
    }

    /// <summary>JSON when the file is called so, a table in Markdown otherwise.</summary>
    public Task WriteAsync(string file, CancellationToken cancellationToken) => File.WriteAllTextAsync(
        file, file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ToJson() : ToMarkdown(), cancellationToken);

    private string ToJson() => JsonSerializer.Serialize(
        new { Passed, Options.Seconds, Options.Attackers, Bounds, Rows = Rows.Select(row => new { Broken = row.Broken(Bounds), Row = row }) }, Json);

    private string ToMarkdown()
    {
        var (text, culture) = (new StringBuilder(), CultureInfo.InvariantCulture);
        text.AppendLine(culture, $"Attacks of {Options.Seconds:0.#} s, {Options.Attackers} at once; times are p50/p99/worst in ms.").AppendLine();
        text.AppendLine("| attack | what | pays | ack | delivery | page | grew MB | left MB, after s | Redis' slowest ms | CPU s | verdict |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var row in Rows)
        {
            var broken = row.Broken(Bounds);
            text.Append(culture, $"| {row.Attack} | {row.What} | {row.Budget} | {row.Acknowledged} | {row.Delivered} | {row.Page} | ");
            text.Append(culture, $"{Of(row.Grew, row.Grew.Grew)} | {Of(row.Left, row.Left.Left)}, {row.SettledAfter:0} | {Slowest(row)} | ");
            text.Append(string.Join(", ", row.Processes.Where(process => process.Cpu >= 0.5)
                .Select(process => string.Create(culture, $"{process.Name} {process.Cpu:0.0}"))));
            var verdict = broken.Count == 0 ? "PASS" : "FAIL " + string.Join(", ", broken.Concat(Failures(row)));
            text.AppendLine(culture, $" | {verdict} |");
        }
        if (Rows.Any(row => row.Memory.Count > 0))
        {
            text.AppendLine().AppendLine("| attack | process | limit MB | most MB | at the limit | killed |").AppendLine("|---|---|---|---|---|---|");
        }

        foreach (var (row, process) in Rows.SelectMany(row => row.Memory.Select(process => (row, process))))
        {
            text.AppendLine(culture, $"| {row.Attack} | {process.Name} | {process.Limit:0} | {process.Peak:0} | {process.Reached} × | {process.Kills} × |");
        }

        return text.ToString();
    }

    private static IEnumerable<string> Failures(HostileRow row) =>
        row.Errors.Select(error => (error.Key, error.Value)).Concat(row.Health.Select(failed => (Key: "health: " + failed.Key, failed.Value)))
            .Select(failure => string.Create(CultureInfo.InvariantCulture, $"{failure.Value} × {failure.Key}"));

    private static string Of(ProcessCost process, double megabytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{megabytes:0} {process.Name}");

    private static string Slowest(HostileRow row) =>
        row.Redis == 0 ? "< 1" : string.Create(CultureInfo.InvariantCulture, $"{row.Redis:0.0} {row.RedisCall}");
}
