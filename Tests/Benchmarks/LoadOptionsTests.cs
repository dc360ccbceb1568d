using AspireChat.Benchmarks.Load;

namespace AspireChat.Tests.Benchmarks;

public sealed class LoadOptionsTests
{
    [Fact]
    public void Without_arguments_every_row_is_measured_both_ways_and_at_rest()
    {
        var options = LoadOptions.Parse([]);

        Assert.Equal(Scenario.All, options.Scenarios);
        Assert.Equal([Way.Direct, Way.Gateway], options.Ways);
        Assert.True(options is { Rest: true, Peer: true, Limits: true, Rounds: 5, RestRounds: 3, Output: null });
    }

    [Fact]
    public void Quick_measures_the_rows_with_goals_once()
    {
        var options = LoadOptions.Parse(["--quick"]);

        Assert.Equal(Scenario.Quick.Order(), options.Scenarios.Select(scenario => scenario.Name).Order());
        Assert.True(options is { Rest: true, Rounds: 1, RestRounds: 1 });
    }

    [Fact]
    public void Named_rows_are_measured_alone()
    {
        var options = LoadOptions.Parse(["rooms-100x10", "--direct", "--rounds", "3", "--seconds", "2.5"]);

        Assert.Equal("rooms-100x10", Assert.Single(options.Scenarios).Name);
        Assert.Equal([Way.Direct], options.Ways);
        Assert.True(options is { Rest: false, Rounds: 3, Window.TotalSeconds: 2.5 });
    }

    [Fact]
    public void Rest_alone_has_no_traffic()
    {
        var options = LoadOptions.Parse(["rest", "--no-limits"]);

        Assert.Empty(options.Scenarios);
        Assert.True(options is { Rest: true, Limits: false });
    }

    [Fact]
    public void A_variant_has_variables_and_a_build_has_a_checkout()
    {
        var options = LoadOptions.Parse(["--variant", "now:Sockets__CoalesceFor=0,B=1=2", "--build", "before:/tmp/x"]);

        Assert.Equal("0", options.Variants[0].Environment["Sockets__CoalesceFor"]);
        Assert.Equal("1=2", options.Variants[0].Environment["B"]);
        Assert.Equal(("before", "/tmp/x"), (options.Variants[1].Name, options.Variants[1].Build));
    }

    [Theory]
    [InlineData("room-200", "'room-200' is no scenario")]
    [InlineData("--rounds", "--rounds needs a value")]
    [InlineData("--rounds none", "--rounds needs a number above 0, not 'none'")]
    [InlineData("--seconds 0", "--seconds needs a number above 0, not '0'")]
    [InlineData("--variant a:b", "--variant needs NAME:KEY=VALUE")]
    [InlineData("--build a", "--build needs NAME:CHECKOUT")]
    public void What_is_wrong_is_named(string arguments, string fault)
    {
        var exception = Assert.Throws<FormatException>(() => LoadOptions.Parse(arguments.Split(' ')));
        Assert.Contains(fault, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_soak_has_whole_rooms()
    {
        var options = SoakOptions.Parse(["--connections", "1001", "--minutes", "0.5"]);

        Assert.Equal((1_050, 0.5), (options.Connections, options.Minutes));
        Assert.Throws<FormatException>(() => SoakOptions.Parse(["--minutes"]));
        Assert.Throws<FormatException>(() => SoakOptions.Parse(["--hours", "1"]));
    }
}
