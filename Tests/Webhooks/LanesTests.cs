using AspireChat.PersistenceService.Webhooks;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Webhooks;

public sealed class LanesTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly Lanes _lanes;

    public LanesTests() => _lanes = new Lanes(most: 4, fresh: 3, repeats: 1, _time);

    [Fact]
    public void A_lane_is_taken_once_at_a_time_and_again_when_something_came_meanwhile()
    {
        _lanes.Wake("a", 0);
        _lanes.Wake("a", 0);
        var lane = Assert.Single(_lanes.Take(10));
        _lanes.Wake("a", 0);
        Assert.Empty(_lanes.Take(10));
        _lanes.Done(lane, more: false);
        _lanes.Done(Assert.Single(_lanes.Take(10)), more: false);
        Assert.Empty(_lanes.Take(10));
        Assert.Equal(0, _lanes.Count);
    }

    [Fact]
    public void A_lane_that_failed_waits_and_is_asked_for_more_once_it_was_taken()
    {
        _lanes.Wake("a", 0);
        _lanes.Pause(Assert.Single(_lanes.Take(10)), _time.GetUtcNow().AddSeconds(5), repeats: true);
        _lanes.Wake("a", 0);
        Assert.Empty(_lanes.Take(10));
        Assert.Equal(TimeSpan.FromSeconds(5), _lanes.UntilDue);
        _time.Advance(TimeSpan.FromSeconds(5));
        _lanes.Done(Assert.Single(_lanes.Take(10)), more: false);
        // What came while it waited did not wake it.
        Assert.Single(_lanes.Take(10));
    }

    [Fact]
    public void Lanes_that_hang_when_repeated_leave_places_for_others()
    {
        foreach (var name in (string[])["a", "b", "c"])
        {
            _lanes.Found(name, 0, null, _time.GetUtcNow());
        }

        _lanes.Wake("d", 0);
        Assert.Equal(["a", "d"], _lanes.Take(10).Select(lane => lane.Name));
        Assert.Empty(_lanes.Take(10));
    }

    [Fact]
    public void No_more_are_known_than_the_bound_and_no_more_are_busy()
    {
        for (var i = 0; i < 10; i++)
        {
            _lanes.Wake($"lane{i}", 0);
        }

        Assert.Equal(4, _lanes.Count);
        Assert.True(_lanes.IsFull);
        var taken = _lanes.Take(10);
        Assert.Equal(3, taken.Count);
        _lanes.Done(taken[0], more: false);
        Assert.Single(_lanes.Take(10));
    }

    [Fact]
    public void Lanes_of_partitions_that_others_own_now_are_dropped_and_a_busy_one_is_not_taken_again()
    {
        _lanes.Wake("a", 1);
        _lanes.Wake("b", 2);
        var taken = _lanes.Take(1);
        _lanes.Keep(new HashSet<int> { 3 });
        Assert.Equal(0, _lanes.Count);
        _lanes.Done(taken[0], more: true);
        Assert.Empty(_lanes.Take(10));
    }
}
