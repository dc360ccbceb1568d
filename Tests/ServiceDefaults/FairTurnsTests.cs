using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class FairTurnsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task As_many_as_may_have_their_turn_at_once_and_a_further_one_after_the_first_has_left()
    {
        var turns = new FairTurns(2, 10, 10, _time);
        Assert.True(await Enter(turns, "a"));
        Assert.True(await Enter(turns, "a"));
        var third = Enter(turns, "a");
        Assert.False(third.IsCompleted);

        turns.Leave();

        Assert.True(await third);
        Assert.False(Enter(turns, "a").IsCompleted);
    }

    [Fact]
    public async Task Who_asks_for_little_waits_for_one_of_each_other_however_many_those_have_asked_for()
    {
        var turns = new FairTurns(1, 1_000, 10_000, _time);
        Assert.True(await Enter(turns, "first"));
        List<string> order = [];
        List<Task> all = [];
        void Ask(string key) => all.Add(NoteAsync(Enter(turns, key), key));
        for (var i = 0; i < 500; i++)
        {
            Ask("mallory");
            Ask("marvin");
        }

        Ask("alice");
        for (var i = 0; i < 3; i++)
        {
            var seen = order.Count;
            turns.Leave();
            await Eventually.IsTrueAsync(() => order.Count > seen, "the next one has its turn");
        }

        Assert.Equal(["mallory", "marvin", "alice"], order);

        async Task NoteAsync(Task<bool> entering, string key)
        {
            Assert.True(await entering);
            order.Add(key);
        }
    }

    [Fact]
    public async Task Too_many_who_wait_are_refused_at_once_each_key_and_all_together()
    {
        var turns = new FairTurns(1, 2, 3, _time);
        Assert.True(await Enter(turns, "a"));
        Task<bool>[] waiting = [Enter(turns, "a"), Enter(turns, "a")];
        Assert.False(await Enter(turns, "a"));
        var other = Enter(turns, "b");
        Assert.False(await Enter(turns, "c"));

        turns.Leave();
        Assert.True(await waiting[0]);
        turns.Leave();
        Assert.True(await other);
        turns.Leave();
        Assert.True(await waiting[1]);
        turns.Leave();
        Assert.True(await Enter(turns, "c"));
    }

    [Fact]
    public async Task Who_waits_too_long_or_is_gone_gets_no_turn_and_takes_none_from_the_next()
    {
        var turns = new FairTurns(1, 10, 10, _time);
        using var gone = new CancellationTokenSource();
        Assert.True(await Enter(turns, "a"));
        var late = Enter(turns, "a");
        _time.Advance(Patience / 2);
        var cancelled = turns.EnterAsync("b", Patience, gone.Token).AsTask();
        var next = Enter(turns, "c");
        _time.Advance(Patience / 2);
        Assert.False(await late);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        turns.Leave();

        Assert.True(await next);
        turns.Leave();
        Assert.True(await Enter(turns, "d"));
    }

    [Fact]
    public async Task However_they_come_and_give_up_never_more_than_so_many_have_their_turn_and_none_is_lost()
    {
        var turns = new FairTurns(3, 50, 100, TimeProvider.System);
        var (running, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 2_000).Select(i => Task.Run(async () =>
        {
            if (!await turns.EnterAsync($"user{i % 7}", i % 3 == 0 ? TimeSpan.FromTicks(1) : Patience, CancellationToken.None))
            {
                return;
            }

            InterlockedMax(ref most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            turns.Leave();
        })));

        Assert.InRange(most, 1, 3);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(Enter(turns, "x").IsCompletedSuccessfully);
        }

        Assert.False(Enter(turns, "x").IsCompleted);
    }

    private static Task<bool> Enter(FairTurns turns, string key) => turns.EnterAsync(key, Patience, CancellationToken.None).AsTask();

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }
}
