using AspireChat.RedisLog;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.RedisLog;

public sealed class DoorbellTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Rings_without_a_waiter_wake_the_next_wait_once()
    {
        var bell = new Doorbell(_time);
        bell.Ring();
        bell.Ring();

        await bell.WaitAsync(TimeSpan.FromDays(1), CancellationToken.None);
        var second = bell.WaitAsync(TimeSpan.FromSeconds(1), CancellationToken.None);

        Assert.False(second.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await second;
    }

    [Fact]
    public async Task A_wait_ends_with_the_service()
    {
        using var stop = new CancellationTokenSource();
        var wait = new Doorbell(_time).WaitAsync(TimeSpan.FromDays(1), stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }
}
