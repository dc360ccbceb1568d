using AspireChat.PersistenceService.Background;
using AspireChat.RedisLog;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace AspireChat.Tests.Persistence;

public sealed class RecurringLookTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<long> _interrupted = [];
    private int _looks;

    public void Dispose() => _stop.Dispose();

    [Fact]
    public async Task While_there_is_more_it_looks_at_once_and_then_after_its_interval()
    {
        var running = Look().RunAsync(_ => Task.FromResult(Interlocked.Increment(ref _looks) < 3), _stop.Token);
        await HasLookedAsync(3);

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(3, Volatile.Read(ref _looks));
        _time.Advance(TimeSpan.FromSeconds(1));
        await HasLookedAsync(4);
        await EndsAsync(running);
    }

    [Fact]
    public async Task An_outage_is_told_once_a_minute_and_ends_no_loop()
    {
        var running = Look(interval: TimeSpan.Zero).RunAsync(
            token => Interlocked.Increment(ref _looks) < 5 ? throw new NpgsqlException("away") : NeverAsync(token), _stop.Token);
        await HasLookedAsync(5);

        Assert.Equal([1L], _interrupted);
        await EndsAsync(running);
    }

    [Fact]
    public async Task A_ring_is_followed_at_once()
    {
        var bell = new Doorbell(_time);
        var running = Look(bell).RunAsync(_ => Task.FromResult(Interlocked.Increment(ref _looks) < 0), _stop.Token);
        await HasLookedAsync(1);

        bell.Ring();
        await HasLookedAsync(2);
        await EndsAsync(running);
    }

    [Fact]
    public async Task A_bug_ends_it()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Look().RunAsync(_ => throw new InvalidOperationException(), _stop.Token));
    }

    private RecurringLook Look(Doorbell? bell = null, TimeSpan? interval = null) =>
        new(interval ?? TimeSpan.FromSeconds(10), _time, (_, count) => _interrupted.Add(count), bell);

    private static async Task<bool> NeverAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return false;
    }

    private Task HasLookedAsync(int times) => Eventually.IsTrueAsync(() => Volatile.Read(ref _looks) == times, $"it has looked {times} times");

    private async Task EndsAsync(Task running)
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
