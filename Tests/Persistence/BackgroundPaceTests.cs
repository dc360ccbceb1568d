using AspireChat.PersistenceService.Background;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Persistence;

public sealed class BackgroundPaceTests
{
    [Fact]
    public async Task After_a_step_it_rests_four_times_as_long_as_the_step_took()
    {
        var time = new FakeTimeProvider();
        var pace = new BackgroundPace(time);
        time.Advance(TimeSpan.FromMilliseconds(10));
        var rest = pace.RestAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromMilliseconds(39));
        Assert.False(rest.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await rest;

        // The rest is not part of the next step.
        Assert.True(pace.RestAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_slow_step_is_followed_by_a_second_of_rest_at_most()
    {
        var time = new FakeTimeProvider();
        var pace = new BackgroundPace(time);
        time.Advance(TimeSpan.FromSeconds(20));
        var rest = pace.RestAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(rest.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await rest;
    }
}
