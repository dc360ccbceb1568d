using AspireChat.Client;
using AspireChat.Client.Delivery;

namespace AspireChat.Tests.Client;

public sealed class SequencerTests
{
    [Fact]
    public void Any_order_with_any_repeats_comes_out_in_order_and_once()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var log = new Sequencer(heldLimit: 100);
            log.Reset("e", 0);
            var arrivals = Enumerable.Range(1, 20).SelectMany(seq => Enumerable.Repeat(seq, random.Next(1, 4))).ToArray();
            random.Shuffle(arrivals);
            var delivered = new List<long>();

            foreach (var seq in arrivals)
            {
                log.Arrive(Event(seq));
                delivered.AddRange(Drain(log));
            }

            Assert.Equal(SocketFaultTests.Range(1, 20), delivered);
            Assert.False(log.IsBehind);
        }
    }

    [Fact]
    public void Held_events_are_bounded_and_the_nearest_ones_are_kept()
    {
        var log = new Sequencer(heldLimit: 3);
        log.Reset("e", 0);
        foreach (var seq in (int[])[9, 8, 2, 7, 3, 4])
        {
            log.Arrive(Event(seq));
        }

        log.Arrive(Event(1));

        Assert.Equal([1, 2, 3, 4], Drain(log));
        Assert.True(log.IsBehind);
        Assert.Equal(9, log.Target);
    }

    [Fact]
    public void Another_event_under_a_known_seq_is_a_conflict_and_the_same_one_is_known()
    {
        var log = new Sequencer(heldLimit: 10);
        log.Reset("e", 0);
        log.Arrive(Event(1));
        Drain(log);
        log.Arrive(Event(3));

        Assert.Equal(Arrival.Known, log.Arrive(Event(1)));
        Assert.Equal(Arrival.Conflict, log.Arrive(Event(1, "other")));
        Assert.Equal(Arrival.Known, log.Arrive(Event(3)));
        Assert.Equal(Arrival.Conflict, log.Arrive(Event(3, "other")));
    }

    [Fact]
    public void A_hole_that_is_given_up_ends_at_the_first_held_event_or_at_the_head()
    {
        var log = new Sequencer(heldLimit: 10);
        log.Reset("e", 5);
        log.Arrive(Event(9));

        Assert.Equal((6, 8), log.Skip(head: 20));
        Assert.Equal([9], Drain(log));
        Assert.Equal((10, 20), log.Skip(head: 20));
        Assert.Null(log.Skip(head: 20));
    }

    [Fact]
    public void An_epoch_is_learnt_once_and_an_abandoned_one_is_remembered()
    {
        var log = new Sequencer(heldLimit: 10);
        log.Reset(null, 5);

        Assert.False(log.IsForeign("e1"));
        Assert.True(log.IsForeign("e2"));
        log.Reset("e2", 3);
        Assert.True(log.IsFormer("e1"));
        Assert.False(log.IsFormer("e2"));
    }

    [Fact]
    public void After_a_reconnect_events_delivered_without_an_epoch_are_asked_for_again_and_compared()
    {
        var log = new Sequencer(heldLimit: 10);
        log.Reset(null, 4);
        log.Arrive(Event(5));
        log.Arrive(Event(6));
        Drain(log);
        Assert.Equal(6, log.ResumeFrom);
        log.OnDown();

        Assert.Equal(4, log.ResumeFrom);
        Assert.Equal(Arrival.Known, log.Arrive(Event(5)));
        Assert.False(log.IsForeign("e1"));
        Assert.Equal(6, log.ResumeFrom);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_epoch_is_foreign_where_an_event_contradicts_one_that_was_delivered_without_it(bool isNamedBefore)
    {
        var log = new Sequencer(heldLimit: 10);
        log.Reset(null, 0);
        log.Arrive(Event(1));
        Drain(log);
        log.OnDown();
        Assert.True(log.IsTooShort(0));
        // An acknowledgement may name the log before its events come.
        if (isNamedBefore)
        {
            Assert.False(log.IsForeign("e2"));
        }

        Assert.Equal(Arrival.Conflict, log.Arrive(Event(1, "other")));
        Assert.True(log.IsForeign("e2"));
        log.Reset("e2", 1);
        Assert.False(log.IsForeign("e2"));
    }

    private static IReadOnlyList<long> Drain(Sequencer log)
    {
        var seqs = new List<long>();
        while (log.Peek() is { } e)
        {
            seqs.Add(e.Seq);
            log.Delivered();
        }
        return seqs;
    }

    private static MessageSent Event(long seq, string? id = null) =>
        new(Clients.Lobby) { Id = id ?? $"id-{seq}", Seq = seq, From = "bob", Content = "", Timestamp = default };
}
