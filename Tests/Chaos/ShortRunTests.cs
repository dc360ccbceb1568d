using AspireChat.Chaos;
using AspireChat.Tests.Acceptance;
using Xunit.Abstractions;

namespace AspireChat.Tests.Chaos;

/// <summary>
/// The short form of the chaos suite: ten faults of all kinds in the whole system. <c>ASPIRECHAT_SEED</c> sets another seed. The long form
/// is <c>dotnet run -c Release --project Chaos</c> (docs/chaos.md).
/// </summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class ShortRunTests(ITestOutputHelper output)
{
    private static int? Seed => int.TryParse(Environment.GetEnvironmentVariable("ASPIRECHAT_SEED"), out var seed) ? seed : null;

    [Fact]
    public async Task Ten_faults_under_traffic_lose_repeat_and_disorder_no_message()
    {
        var options = new ChaosOptions
        {
            Seed = Seed ?? Random.Shared.Next(1, 1_000_000),
            Faults = 10, Events = 2_000, Minutes = 3, Clients = 10, Rooms = 3, Rate = 120, Storm = 200,
        };

        var report = await new ChaosRun(options, output.WriteLine).RunAsync(CancellationToken.None);

        output.WriteLine(report.ToString());
        Assert.True(report.Passed, report.ToString());
    }
}
