using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Tests.Hubs.Feeds;

public sealed class FeedPositionTests
{
    private readonly FeedPosition _position = new(mostAhead: 3);

    [Fact]
    public void Everything_waits_until_the_place_is_known()
    {
        Assert.Equal(Arrival.Unplaced, _position.Classify(Event("e1", 1)));
        _position.Hold(Event("e1", 8));
        _position.Start("e1", 7);
        Assert.True(_position.TryTakeNext(out var next));
        Assert.Equal(8, next.Seq);
    }

    [Theory]
    [InlineData("e1", 6, nameof(Arrival.Next))]
    [InlineData("e1", 5, nameof(Arrival.Repeat))]
    [InlineData("e1", 7, nameof(Arrival.Ahead))]
    [InlineData("e2", 1, nameof(Arrival.OtherEpoch))]
    public void An_event_is_told_by_its_epoch_and_seq(string epoch, long seq, string arrival)
    {
        _position.Start("e1", 5);
        Assert.Equal(arrival, _position.Classify(Event(epoch, seq)).ToString());
    }

    [Fact]
    public void Events_ahead_are_given_back_in_order_and_only_without_a_hole()
    {
        _position.Start("e1", 0);
        _position.Hold(Event("e1", 3));
        _position.Hold(Event("e1", 2));
        Assert.False(_position.TryTakeNext(out _));
        _position.Advance(Event("e1", 1));
        foreach (var seq in new[] { 2, 3 })
        {
            Assert.True(_position.TryTakeNext(out var next));
            Assert.Equal(seq, next.Seq);
            _position.Advance(next);
        }
        Assert.False(_position.HasAhead);
    }

    [Fact]
    public void What_was_delivered_meanwhile_is_not_given_back()
    {
        _position.Start("e1", 0);
        _position.Hold(Event("e1", 2));
        _position.Advance(Event("e1", 1));
        _position.Advance(Event("e1", 2));
        Assert.False(_position.TryTakeNext(out _));
        Assert.False(_position.HasAhead);
    }

    [Fact]
    public void Held_events_have_a_bound()
    {
        _position.Start("e1", 0);
        foreach (var seq in new[] { 2, 3, 4, 5 })
        {
            _position.Hold(Event("e1", seq));
        }
        _position.Advance(Event("e1", 1));
        var taken = new List<long>();
        while (_position.TryTakeNext(out var next))
        {
            taken.Add(next.Seq);
            _position.Advance(next);
        }
        Assert.Equal([2, 3, 4], taken);
    }

    [Fact]
    public void An_epoch_that_has_ended_stays_ended()
    {
        _position.Start("e1", 5);
        _position.Restart("e2", 3);
        Assert.Equal(Arrival.PastEpoch, _position.Classify(Event("e1", 6)));
        Assert.Equal(Arrival.Next, _position.Classify(Event("e2", 4)));
    }

    [Fact]
    public void Held_events_of_another_epoch_go_once_the_log_has_told_which_is_the_current_one()
    {
        _position.Start("e1", 5);
        _position.Hold(Event("e0", 6));
        _position.DropForeign();
        Assert.False(_position.HasAhead);
    }

    private static EncodedEvent Event(string epoch, long seq) => new(new ConversationEvent
    {
        Kind = EventKind.Room, Conversation = ConversationKey.Room("lobby"), Id = Guid.NewGuid(), From = "alice", Nonce = "n", Content = "c",
        Timestamp = 1, Seq = seq, Epoch = epoch,
    });
}
