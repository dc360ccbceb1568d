using System.Xml.Linq;
using AspireChat.Chaos;
using AspireChat.Chaos.Hostile;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Hostile;

/// <summary>The suite's own judgement, so that a green table means something.</summary>
public sealed class HostileReportTests
{
    private static readonly Latency Quick = new(1, 20, 40, 100);
    private static readonly HostileBounds Bounds = new();

    private static readonly HostileRow Harmless = new(
        "pings", "pings", "frames", 1_000, Quick, Quick, Quick, new Dictionary<string, int>(), new Dictionary<string, int>(),
        [new("gateway", 100, 20, 10, 1.5), new("redis", 20, 5, 0, 0.5)], 0, 2.5, "append.lua");

    public static TheoryData<string> Broken => ["ack", "delivery", "page", "errors", "health", "growth", "left", "redis", "killed"];

    [Fact]
    public void An_attack_that_keeps_to_all_bounds_passes_and_its_line_tells_the_worst_process()
    {
        var report = new HostileReport(new ChaosOptions(), Bounds, [Harmless]);

        Assert.True(report.Passed);
        Assert.Contains("20 gateway", HostileReport.Line(Harmless, Bounds), StringComparison.Ordinal);
        Assert.EndsWith("PASS", HostileReport.Line(Harmless, Bounds), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Each_bound_that_is_broken_fails_the_run_and_is_named(string bound)
    {
        var slow = new Latency(1, 250, 250, 100);
        var one = new Dictionary<string, int> { ["it failed"] = 1 };
        var row = bound switch
        {
            "ack" => Harmless with { Acknowledged = slow },
            "delivery" => Harmless with { Delivered = slow },
            "page" => Harmless with { Page = slow },
            "errors" => Harmless with { Errors = one },
            "health" => Harmless with { Health = one },
            "growth" => Harmless with { Processes = [new("redis", 20, 151, 0, 1)] },
            "left" => Harmless with { Processes = [new("redis", 20, 100, 51, 1)] },
            "killed" => Harmless with { Memory = [new("persistence", 200, 200, 7, 1), new("gateway", 200, 90, 0, 0)] },
            _ => Harmless with { Redis = 10 },
        };

        Assert.Equal([bound], row.Broken(Bounds));
        Assert.False(new HostileReport(new ChaosOptions(), Bounds, [Harmless, row]).Passed);
    }

    [Fact]
    public void What_a_process_did_at_its_limit_of_memory_stands_below_the_row()
    {
        var row = Harmless with { Memory = [new("persistence", 200, 199.6, 7, 1)] };

        Assert.Contains("persistence: 200 of 200 MB, 7 × at the limit, 1 × killed", HostileReport.Line(row, Bounds), StringComparison.Ordinal);
    }

    [Fact]
    public void The_memory_curve_has_a_line_for_each_second_and_a_column_for_each_process_with_its_most_in_that_second()
    {
        var time = new FakeTimeProvider();
        var curve = new MemoryCurve(time);
        curve.Add("redis", 20);
        curve.Add("gateway", 90);
        time.Advance(TimeSpan.FromSeconds(1.2));
        curve.Begin("pings");
        curve.Add("gateway", 120.5);
        curve.Add("gateway", 110);
        time.Advance(TimeSpan.FromSeconds(1));
        curve.Begin("");
        curve.Add("redis", 30);

        Assert.Equal(
            ["second,attack,gateway,redis", "0,,90.0,20.0", "1,pings,120.5,", "2,,,30.0"],
            curve.ToCsv().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim()));
        var picture = XDocument.Parse(curve.ToSvg());
        Assert.Equal(2, picture.Descendants().Count(element => element.Name.LocalName == "polyline"));
        Assert.Equal("pings", picture.Descendants().Single(element => element.Name.LocalName == "title").Value);
    }

    [Fact]
    public void An_attack_that_could_not_be_measured_is_no_success()
    {
        Assert.False(new HostileReport(new ChaosOptions(), Bounds, [HostileRow.Unmeasured("pings", "", "", "no place")]).Passed);
        Assert.False(new HostileReport(new ChaosOptions(), Bounds, []).Passed);
    }

    [Fact]
    public void Each_attack_has_a_name_of_its_own_and_says_what_it_does_and_what_should_pay()
    {
        var all = AttackList.All();

        Assert.InRange(all.Count, 40, int.MaxValue);
        Assert.Equal(all.Count, all.Select(attack => attack.Name).Distinct().Count());
        Assert.All(all, attack => Assert.True(attack.What.Length > 0 && attack.Budget.Length > 0, attack.Name));
    }

    [Fact]
    public void An_attack_that_does_not_exist_is_named()
    {
        var fault = Assert.Throws<FormatException>(() => AttackList.Choose("pings,nothing"));

        Assert.Contains("nothing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_line_says_which_attacks_how_long_how_many_and_where_to_report()
    {
        var options = ChaosOptions.Parse(["hostile", "--only", "pings,pongs", "--attackers", "50", "--report", "report.json", "--settle", "20"]);

        Assert.Equal(
            ("hostile", "pings,pongs", 50, "report.json", 20.0, 10.0),
            (options.Command, options.Only, options.Attackers, options.Report, options.Settle, options.Seconds));
    }
}
