using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Simulation;
using Xunit.Abstractions;

namespace AspireChat.Tests.Chaos;

/// <summary>The ledger's check against a simulated server. It finds nothing in a correct server, and finds every planted bug.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 3_000;
    private const int SeedsPerBug = 100;

    [Fact]
    public void Thousands_of_seeds_of_a_correct_server_give_no_finding()
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var findings = SimulatedRun.Run(seed);
            Assert.False(findings.Any, $"seed {seed}: {findings}\n{string.Join('\n', findings.Texts)}");
        }
    }

    [Theory]
    [InlineData(nameof(PlantedBug.NoDedup), nameof(Breach.Duplicated))]
    [InlineData(nameof(PlantedBug.AckBeforeAppend), nameof(Breach.Lost))]
    [InlineData(nameof(PlantedBug.NoGapRepair), nameof(Breach.SilentGap))]
    [InlineData(nameof(PlantedBug.TrimTooEarly), nameof(Breach.Lost))]
    [InlineData(nameof(PlantedBug.AckBeforeCommit), nameof(Breach.Lost))]
    [InlineData(nameof(PlantedBug.SameEpochAfterWipe), nameof(Breach.ToldWithoutCause))]
    public void A_planted_bug_is_caught_for_what_it_is(string bug, string breach)
    {
        var caught = 0;
        string? first = null;
        for (var seed = 1; seed <= SeedsPerBug; seed++)
        {
            var findings = SimulatedRun.Run(seed, Enum.Parse<PlantedBug>(bug));
            if (findings[Enum.Parse<Breach>(breach)] == 0)
            {
                continue;
            }

            caught++;
            first ??= $"seed {seed}: {findings.Texts.First(text => text.StartsWith(breach, StringComparison.Ordinal))}";
        }
        output.WriteLine($"{bug}: caught as {breach} by {caught} of {SeedsPerBug} seeds; {first}");
        Assert.True(caught > SeedsPerBug / 4, $"{bug} was reported as {breach} by only {caught} of {SeedsPerBug} seeds");
    }
}
