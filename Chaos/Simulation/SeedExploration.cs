using System.Diagnostics;
using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos.Simulation;

/// <summary>Tries the check itself: it must find nothing without a planted bug, and each planted bug.</summary>
internal static class SeedExploration
{
    /// <summary>A bug needs its own conjunction of events, so each one gets this many seeds.</summary>
    private const int SeedsPerBug = 200;

    private const int FindingsShown = 5;

    /// <summary>Runs the seeds without a bug, and then every planted bug. False when the check was wrong either way.</summary>
    public static bool Run(ChaosOptions options, Action<string> say)
    {
        var right = FindsNothingWithoutABug(options, say);
        foreach (var bug in Enum.GetValues<PlantedBug>().Where(bug => bug != PlantedBug.None))
        {
            right &= Catches(bug, options.Seed, say);
        }

        return right;
    }

    private static bool FindsNothingWithoutABug(ChaosOptions options, Action<string> say)
    {
        var (watch, wrong) = (Stopwatch.StartNew(), 0);
        foreach (var (seed, findings) in Findings(options.Seed, options.Seeds, PlantedBug.None))
        {
            if (wrong++ < FindingsShown)
            {
                say($"seed {seed}: {findings}\n  {string.Join("\n  ", findings.Texts)}");
            }
        }
        var last = options.Seed + options.Seeds - 1;
        say($"seeds {options.Seed} to {last}: {wrong} of them with findings, in {watch.Elapsed.TotalSeconds:0.0} s");
        return wrong == 0;
    }

    private static bool Catches(PlantedBug bug, int firstSeed, Action<string> say)
    {
        var caught = Findings(firstSeed, SeedsPerBug, bug).Select(found => found.Findings).ToList();
        var example = caught.Count == 0 ? "" : $", e.g. {caught[0].Texts.First()}";
        say($"{bug}: caught by {caught.Count} of {SeedsPerBug} seeds{example}");
        return caught.Count > 0;
    }

    private static IEnumerable<(int Seed, Findings Findings)> Findings(int firstSeed, int seeds, PlantedBug bug) =>
        Enumerable.Range(firstSeed, seeds).Select(seed => (seed, SimulatedRun.Run(seed, bug))).Where(run => run.Item2.Any);
}
