using System.Globalization;
using AspireChat.Tests.Hubs.Simulation;
using Xunit.Abstractions;

namespace AspireChat.Tests.Hubs;

/// <summary>
/// Thousands of interleavings of hubs, log, pub/sub and clients. A failure names its seed: <c>ASPIRECHAT_SEED=…</c> runs just that one.
/// More seeds: <c>ASPIRECHAT_SEEDS=…</c>.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Steps = 1_500;

    private static int Seeds => Number("ASPIRECHAT_SEEDS") ?? 400;

    [Fact]
    public void Order_holds_when_nothing_goes_wrong() => Explore(Plan.Calm, Seeds);

    [Fact]
    public void Nothing_is_lost_repeated_or_reordered_when_messages_and_connections_are() => Explore(Plan.Rough, Seeds);

    [Fact]
    public void Slow_clients_are_closed_and_resume_without_a_gap() =>
        Assert.True(Explore(Plan.Rough with { OutboundBytes = 1_200 }, Seeds) > 0, "no client was ever closed: nothing was tried");

    [Fact]
    public void A_tail_that_is_too_short_is_told_not_hidden() => Explore(Plan.Rough with { TailLength = 5 }, Seeds);

    [Fact]
    public void A_rebuilt_log_is_told_to_everybody() => Explore(Plan.Rough with { Rebuilds = 0.5 }, Seeds);

    [Theory]
    [InlineData(nameof(Bug.NoHeadCheck))]
    [InlineData(nameof(Bug.NoRepair))]
    [InlineData(nameof(Bug.DeafToOverflow))]
    [InlineData(nameof(Bug.JoinAhead))]
    [InlineData(nameof(Bug.JoinBehind))]
    [InlineData(nameof(Bug.TailWithHole))]
    [InlineData(nameof(Bug.TailAnswersEmpty))]
    public void A_planted_bug_is_found(string name)
    {
        var bug = Enum.Parse<Bug>(name);
        for (var seed = 1; seed <= 200; seed++)
        {
            try
            {
                new Simulation.Simulation(seed, Plan.Rough with { Bug = bug }).Run(Steps);
            }
            catch (BrokenPromiseException e)
            {
                output.WriteLine($"{bug} found with seed {seed}: {e.Message}");
                return;
            }
        }
        Assert.Fail($"{bug} was planted, and 200 simulations found nothing.");
    }

    /// <returns>How many connections were too slow.</returns>
    private int Explore(Plan plan, int seeds)
    {
        var only = Number("ASPIRECHAT_SEED");
        var (events, closes, slow) = (0, 0, 0);
        for (var seed = only ?? 1; seed <= (only ?? seeds); seed++)
        {
            var simulation = new Simulation.Simulation(seed, plan);
            try
            {
                simulation.Run(Steps);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"ASPIRECHAT_SEED={seed}: {e.Message}", e);
            }
            events += simulation.Events;
            closes += simulation.Closes;
            slow += simulation.TooSlow;
        }
        output.WriteLine($"seeds {only ?? 1} to {only ?? seeds}: {events} events seen, {closes} connections ended, {slow} too slow");
        Assert.True(events > 0, "no event was ever delivered: nothing was tried");
        return slow;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
