using AspireChat.Chaos;
using AspireChat.Chaos.Hostile;
using AspireChat.Tests.Acceptance;
using Xunit.Abstractions;

namespace AspireChat.Tests.Hostile;

/// <summary>
/// The short form of <c>Chaos -- hostile</c> (docs/chaos.md): the attacks that hurt most before there were budgets, two seconds each. The bounds
/// hold on a machine that is busy with other work; the real ones are for a quiet one.
/// </summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class HostileTests(ITestOutputHelper output)
{
    private const string Worst =
        "resume-directs,unread-replays,repeated-replays,new-rooms,join-leave,typing,refused-edits,empty-fragments,pongs,reconnects,half-open,"
        + "large-pages,presence-lookups,unread-answers,escaped-pages,many-conversations,vanishing,half-characters";

    private static readonly HostileBounds Generous = new() { Latency = 2_000, Growth = 250, Left = 250, Settle = 10, Redis = 100, Health = 10 };

    [Fact]
    public async Task Nobody_hurts_the_others_whatever_he_does()
    {
        var options = new ChaosOptions { Command = "hostile", Only = Worst, Seconds = 2 };

        var report = await new HostileRun(options, Generous, output.WriteLine).RunAsync(CancellationToken.None);

        Assert.True(report.Passed, report.ToString());
        Assert.All(report.Rows, row => Assert.True(row.Work > 0, $"{row.Attack} did nothing."));
    }
}
