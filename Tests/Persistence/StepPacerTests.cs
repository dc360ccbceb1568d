using AspireChat.PersistenceService;
using AspireChat.PersistenceService.Consuming;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.Persistence;

/// <summary>When a partition's batch waits for others.</summary>
public sealed class StepPacerTests
{
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(20);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Few_batches_go_at_once()
    {
        using var pacer = Create(Linger);
        for (var i = 0; i < 200; i++)
        {
            Assert.True(pacer.WaitAsync().IsCompleted);
            pacer.Pay();
            _time.Advance(TimeSpan.FromMilliseconds(25));
        }
        await pacer.WaitAsync();
    }

    [Fact]
    public void Many_wait_for_one_beat()
    {
        using var pacer = Create(Linger);
        Exhaust(pacer);
        var first = pacer.WaitAsync();
        _time.Advance(Linger / 2);
        var second = pacer.WaitAsync();
        Assert.False(first.IsCompleted || second.IsCompleted);

        _time.Advance(Linger / 2);
        Assert.True(first.IsCompletedSuccessfully && second.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_burst_is_forgotten_within_a_moment()
    {
        using var pacer = Create(Linger);
        for (var i = 0; i < 10_000; i++)
        {
            pacer.Pay();
        }

        Assert.False(pacer.WaitAsync().IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(pacer.WaitAsync().IsCompleted);
    }

    [Fact]
    public void Without_linger_nobody_waits()
    {
        using var pacer = Create(TimeSpan.Zero);
        Exhaust(pacer);
        Assert.True(pacer.WaitAsync().IsCompleted);
    }

    private StepPacer Create(TimeSpan linger) => new(Options.Create(new PersistenceOptions { Linger = linger }), _time);

    private static void Exhaust(StepPacer pacer)
    {
        for (var i = 0; i < 100; i++)
        {
            pacer.Pay();
        }
    }
}
