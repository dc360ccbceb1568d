using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Limits;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Connections;

public sealed class AllowanceTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_burst_passes_then_the_rate_holds()
    {
        var bucket = new TokenBucket(20, 40, _time);
        for (var i = 0; i < 40; i++)
        {
            Assert.True(bucket.TryTake(out _));
        }

        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(50, wait.TotalMilliseconds, 3);
        _time.Advance(wait);
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 20; i++)
        {
            Assert.True(bucket.TryTake(out _));
        }

        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void What_is_given_back_can_be_taken_again_but_never_more_than_the_burst()
    {
        var bucket = new TokenBucket(1, 2, _time);
        Assert.True(bucket.TryTake(out _));
        Assert.True(bucket.TryTake(out _));
        bucket.GiveBack();
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
        for (var i = 0; i < 10; i++)
        {
            bucket.GiveBack();
        }

        Assert.True(bucket.TryTake(out _));
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void Connections_are_counted_per_user_and_freed()
    {
        var allowances = new UserAllowances(Options.Create(new SocketOptions { ConnectionsPerUser = 2 }), _time);
        Assert.True(allowances.TryOpen("alice"));
        Assert.True(allowances.TryOpen("alice"));
        Assert.False(allowances.TryOpen("alice"));
        Assert.True(allowances.TryOpen("bob"));
        allowances.Close("alice");
        Assert.True(allowances.TryOpen("alice"));
    }

    [Fact]
    public void Forgetting_idle_users_forgives_nothing()
    {
        var allowances = new UserAllowances(Options.Create(new SocketOptions { EventBurst = 2, EventsPerSecond = 0.1 }), _time);
        var events = allowances.EventsOf("busy");
        Assert.True(events.TryTake(out _));
        Assert.True(events.TryTake(out _));
        Assert.True(allowances.TryOpen("connected"));
        for (var i = 0; i < 5_000; i++)
        {
            allowances.EventsOf($"passer-by-{i}");
        }

        Assert.False(allowances.EventsOf("busy").TryTake(out _));
        for (var i = 1; i < 20; i++)
        {
            Assert.True(allowances.TryOpen("connected"));
        }

        Assert.False(allowances.TryOpen("connected"));
    }
}
