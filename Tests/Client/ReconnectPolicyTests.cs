using AspireChat.Client;
using AspireChat.Client.Connecting;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Client;

public sealed class ReconnectPolicyTests
{
    private static readonly ChatClientOptions Options = new()
    {
        Gateway = new Uri("http://localhost"), TokenProvider = _ => ValueTask.FromResult("t"), Random = new Random(1),
    };

    public static TheoryData<int?, bool> Codes => new()
    {
        { null, false }, { 1000, false }, { 1001, false }, { 1002, false }, { 1003, false }, { 1006, false }, { 1007, false },
        { 1009, false }, { 1011, false },
        { 1012, false }, { 1013, false }, { 3000, false }, { 4000, true }, { 4001, true }, { 4002, false }, { 4003, true }, { 4008, false },
        { 4009, true },
        { 4010, true }, { 4099, true }, { 4100, false },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public void The_close_code_decides_whether_the_client_comes_back(int? code, bool isFinal) =>
        Assert.Equal(isFinal, Decide(new ConnectionEnd { Code = code, Reason = "", Lived = TimeSpan.FromSeconds(1) }).IsFinal);

    [Fact]
    public void Waits_double_up_to_the_longest_and_half_of_each_is_random()
    {
        for (var failures = 0; failures < 40; failures++)
        {
            var full = Math.Min(250 * Math.Pow(2, failures), 10_000);
            var waits = Enumerable.Range(0, 50).Select(_ => Decide(Lost(), failures).Wait.TotalMilliseconds).ToList();
            Assert.All(waits, wait => Assert.InRange(wait, full / 2, full));
            Assert.True(waits.Distinct().Count() > 40);
        }
    }

    [Fact]
    public void A_connection_that_lived_resets_the_waits_and_a_short_one_does_not()
    {
        Assert.Equal(1, Decide(Lost() with { Lived = TimeSpan.FromSeconds(10) }, failures: 7).Failures);
        Assert.Equal(8, Decide(Lost() with { Lived = TimeSpan.FromSeconds(9) }, failures: 7).Failures);
    }

    [Fact]
    public void An_expired_token_is_renewed_at_once_and_then_with_growing_waits()
    {
        var expired = new ConnectionEnd { Code = CloseCodes.TokenExpired, Reason = "", Lived = TimeSpan.FromSeconds(1) };
        Assert.Equal(TimeSpan.Zero, Decide(expired).Wait);
        Assert.True(Decide(expired, failures: 3).Wait >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_draining_node_and_an_overloaded_one_get_the_wait_that_they_ask_for()
    {
        Assert.Equal(TimeSpan.FromSeconds(3), Decide(Lost() with { Code = CloseCodes.Restart, LeaveIn = TimeSpan.FromSeconds(3) }).Wait);
        Assert.Equal(TimeSpan.Zero, Decide(Lost() with { Code = CloseCodes.Restart, LeaveIn = TimeSpan.FromSeconds(-1) }).Wait);
        Assert.InRange(Decide(Lost() with { Code = CloseCodes.Overloaded }).Wait, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(5.3));
        Assert.InRange(Decide(Lost() with { HttpStatus = 503, RetryAfter = TimeSpan.FromSeconds(4) }).Wait, TimeSpan.FromSeconds(4),
            TimeSpan.FromSeconds(4.8));
    }

    [Fact]
    public void A_refused_upgrade_ends_the_client_when_the_token_is_refused_twice_or_forbidden_once()
    {
        var first = Decide(Lost() with { HttpStatus = 401 });
        Assert.Equal((false, TimeSpan.Zero), (first.IsFinal, first.Wait));
        Assert.True(ReconnectPolicy.Decide(Lost() with { HttpStatus = 401 }, first.Failures, first.Refusals, Options).IsFinal);
        Assert.False(ReconnectPolicy.Decide(Lost() with { HttpStatus = 503 }, first.Failures, first.Refusals, Options).IsFinal);
        Assert.True(Decide(Lost() with { HttpStatus = 403 }).IsFinal);
        Assert.False(Decide(Lost() with { HttpStatus = 429 }).IsFinal);
    }

    private static ConnectionEnd Lost() => new() { Reason = "lost" };

    private static Decision Decide(ConnectionEnd end, int failures = 0) => ReconnectPolicy.Decide(end, failures, 0, Options);
}
