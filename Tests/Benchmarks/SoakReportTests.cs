using AspireChat.Benchmarks.Load;

namespace AspireChat.Tests.Benchmarks;

public sealed class SoakReportTests
{
    private const double Megabyte = 1024 * 1024;

    private static readonly SoakTraffic Whole = new(Expected: 10, Received: 10, Closed: 0, Refused: 0, FirstFault: null, P50: 1, P99: 2);

    [Fact]
    public void Memory_that_settles_in_the_first_minutes_passes()
    {
        // 100 MiB that become 200 within ten minutes, and stay.
        var report = Report(Whole, minute => Math.Min(200, 100 + 10 * minute));

        Assert.True(report.HasPassed);
        Assert.Equal(0, report.Growth(0), precision: 6);
    }

    [Fact]
    public void A_leak_that_goes_on_in_the_last_ten_minutes_fails()
    {
        var report = Report(Whole, minute => 200 + minute);

        Assert.False(report.HasPassed);
        // Means of minutes 21 to 30 and 11 to 20.
        Assert.Equal(225.5 / 215.5 - 1, report.Growth(0), precision: 6);
    }

    [Fact]
    public void One_lost_message_fails() => Assert.False(Report(Whole with { Received = 9 }, _ => 100).HasPassed);

    [Fact]
    public void What_Redis_keeps_is_no_leak() => Assert.True(Report(Whole, _ => 100, redis: minute => 100 + 10 * minute).HasPassed);

    [Fact]
    public void Processes_of_one_role_have_numbers_and_each_has_a_curve()
    {
        var report = Report(Whole, _ => 100);

        Assert.Equal(["Node 1", "Node 2", "Redis"], report.Names);
        Assert.Equal(3, report.Svg().Split("<polyline").Length - 1);
        Assert.Contains("| 30 | 100.0 | 50.0 | 1.0 |", report.Markdown(), StringComparison.Ordinal);
    }

    private static SoakReport Report(SoakTraffic traffic, Func<int, double> node, Func<int, double>? redis = null) => new(
        SoakOptions.Parse([]), traffic,
        [
            .. Enumerable.Range(0, 31).Select(minute => new SoakSample(minute,
            [
                (Role.Node, node(minute) * Megabyte), (Role.Node, 50 * Megabyte), (Role.Redis, (redis?.Invoke(minute) ?? 1) * Megabyte),
            ])),
        ]);
}
