using AspireChat.RedisLog;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.RedisLog;

public sealed class SharedBeatTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Loops_that_begin_at_different_moments_meet_at_the_same_ones()
    {
        var moments = new HashSet<DateTimeOffset>();
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(Interval.TotalMilliseconds / 100));
            moments.Add(_time.GetUtcNow() + SharedBeat.Next(Interval, _time));
        }

        Assert.Equal(2, moments.Count);
        Assert.Equal(Interval, moments.Max() - moments.Min());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(249)]
    [InlineData(250)]
    [InlineData(499)]
    public void The_next_moment_is_never_nearer_than_half_an_interval_so_a_timer_that_rings_early_does_not_ring_twice(int after)
    {
        _time.Advance(TimeSpan.FromMilliseconds(after));

        Assert.InRange(SharedBeat.Next(Interval, _time), Interval / 2, Interval * 1.5);
    }

    [Fact]
    public void Without_an_interval_there_is_no_wait() => Assert.Equal(TimeSpan.Zero, SharedBeat.Next(TimeSpan.Zero, _time));

    [Fact]
    public void From_one_moment_to_the_next_it_is_one_interval_and_whoever_asks_less_often_meets_each_second_one()
    {
        Assert.Equal(Interval, SharedBeat.Next(Interval, _time));
        Assert.Equal(2 * Interval, SharedBeat.Next(2 * Interval, _time));
    }
}
