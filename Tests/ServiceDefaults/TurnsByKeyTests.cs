using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class TurnsByKeyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Each_key_has_its_turns_and_its_places_to_wait_whatever_others_do()
    {
        var turns = new TurnsByKey(most: 2, mostWaiting: 1, _time);
        Assert.True(await Enter(turns, "alice"));
        Assert.True(await Enter(turns, "alice"));
        var waiting = Enter(turns, "alice");
        Assert.False(waiting.IsCompleted);

        Assert.False(await Enter(turns, "alice"));
        Assert.True(await Enter(turns, "bob"));

        turns.Leave("alice");
        Assert.True(await waiting);
    }

    [Fact]
    public async Task Who_waits_too_long_or_goes_away_has_no_turn_and_those_after_them_do()
    {
        var turns = new TurnsByKey(most: 1, mostWaiting: 3, _time);
        Assert.True(await Enter(turns, "alice"));
        var late = Enter(turns, "alice");
        using var gone = new CancellationTokenSource();
        var leaving = turns.EnterAsync("alice", TimeSpan.FromMinutes(1), gone.Token).AsTask();

        _time.Advance(Patience);
        Assert.False(await late);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        var next = Enter(turns, "alice");
        turns.Leave("alice");
        Assert.True(await next);
    }

    [Fact]
    public async Task Keys_under_which_nobody_has_a_turn_are_forgotten()
    {
        var turns = new TurnsByKey(most: 1, mostWaiting: 0, _time);
        Assert.True(await Enter(turns, "alice"));
        Assert.False(await Enter(turns, "alice"));
        Assert.Equal(1, turns.Count);

        turns.Leave("alice");

        Assert.Equal(0, turns.Count);
    }

    private static Task<bool> Enter(TurnsByKey turns, string key) => turns.EnterAsync(key, Patience, CancellationToken.None).AsTask();
}
