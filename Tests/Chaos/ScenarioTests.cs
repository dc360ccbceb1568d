using AspireChat.Chaos;
using AspireChat.Tests.Acceptance;
using Xunit.Abstractions;

namespace AspireChat.Tests.Chaos;

/// <summary>The short forms of <c>Chaos -- flushall</c> and <c>Chaos -- outage</c> (docs/chaos.md), over the whole system.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ScenarioTests(ITestOutputHelper output)
{
    private static readonly ChaosOptions Small = new()
    {
        Seed = Random.Shared.Next(1, 1_000_000), Minutes = 4, Clients = 8, Rooms = 3, Rate = 80,
    };

    [Fact]
    public Task FLUSHALL_under_traffic_is_told_to_every_reader_and_every_message_is_there_in_the_end() =>
        PassesAsync(Small with { Command = "flushall", Times = 1, Seconds = 2 });

    // Throughput can only be judged on a quiet machine. Here some traffic must get through.
    [Fact]
    public Task Without_PostgreSQL_chat_goes_on_and_afterwards_history_is_complete() =>
        PassesAsync(Small with { Command = "outage", Seconds = 5, LeastShare = 0.02 });

    private async Task PassesAsync(ChaosOptions options)
    {
        var report = await new ChaosRun(options, output.WriteLine).RunAsync(CancellationToken.None);

        output.WriteLine(report.ToString());
        Assert.True(report.Passed, report.ToString());
        Assert.Equal(1, report.Scenario.Done);
    }
}
