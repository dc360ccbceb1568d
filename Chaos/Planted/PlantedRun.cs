using System.Globalization;
using System.Text.RegularExpressions;
using AspireChat.Chaos.Simulation;

namespace AspireChat.Chaos.Planted;

/// <summary>
/// Proves the check with the same short run of the whole system, first as it is and then with each bug planted in a copy of its sources.
/// The first run must find nothing. Each other run must find the breach that its bug causes.
/// </summary>
internal static class PlantedRun
{
    private const int Faults = 6;
    private const int Events = 1_500;

    public static async Task<bool> RunAsync(ChaosOptions options, Action<string> say, CancellationToken cancellationToken)
    {
        say("── in memory ──");
        var right = SeedExploration.Run(options with { Seeds = Math.Min(options.Seeds, 1_000) }, say);
        var sources = SourceCopy.FindSources();
        using var copy = new SourceCopy(sources);
        say("── the whole system, as it is ──");
        await copy.BuildAsync(cancellationToken);
        right &= Judge(await PlayAsync(copy, options, "", say, cancellationToken), "nothing", "no bug", say);
        foreach (var bug in SourceBug.All.Where(bug => bug.Name.StartsWith(options.Only, StringComparison.Ordinal)))
        {
            say($"── the whole system with a bug in {bug.File} ──");
            var source = await File.ReadAllTextAsync(Path.Combine(sources, bug.File), cancellationToken);
            copy.Write(bug.File, bug.Plant(source));
            await copy.BuildAsync(cancellationToken);
            var output = await PlayAsync(copy, options, " --only " + bug.Only, say, cancellationToken);
            right &= Judge(output, bug.CaughtAs.ToString(), bug.Name, say);
            copy.Write(bug.File, source);
        }
        say(right ? "PASS   all bugs caught" : "FAIL");
        return right;
    }

    private static Task<string> PlayAsync(
        SourceCopy copy, ChaosOptions options, string only, Action<string> say, CancellationToken cancellationToken) => copy.ChaosAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"run --seed {options.Seed} --faults {Faults} --events {Events} --clients 10 --rooms 3 --rate 120 --patience 25{only}"),
            line => say("   " + line), cancellationToken);

    private static bool Judge(string output, string expected, string bug, Action<string> say)
    {
        var found = Regex.Match(output, "^findings +(.*)$", RegexOptions.Multiline | RegexOptions.CultureInvariant).Groups[1].Value;
        var caught = found.Split(", ").Any(finding => finding.Split(' ')[0] == expected);
        var verdict = caught ? "AS EXPECTED" : $"NOT AS EXPECTED ({expected})";
        say($"{bug}: found {(found.Length > 0 ? found : "that the run did not end")}   {verdict}");
        return caught;
    }
}
