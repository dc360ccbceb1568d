using AspireChat.ConnectionService.Hubs.Feeds;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;

namespace AspireChat.Tests.Hubs.Feeds;

public sealed class EventRingTests
{
    [Fact]
    public void The_latest_events_are_held_up_to_the_capacity()
    {
        var ring = new EventRing(20, int.MaxValue);
        for (var seq = 5; seq <= 100; seq++)
        {
            ring.Add(Event(seq));
            for (var held = Math.Max(5, seq - 19); held <= seq; held++)
            {
                Assert.Equal(held, ring.Find(held)!.Seq);
            }

            Assert.Null(ring.Find(seq - 20));
            Assert.Null(ring.Find(seq + 1));
        }
    }

    [Fact]
    public void Bytes_are_bounded_but_the_newest_event_stays()
    {
        var ring = new EventRing(100, 4_000);
        for (var seq = 1; seq <= 10; seq++)
        {
            ring.Add(Event(seq, 300));
        }

        Assert.Null(ring.Find(1));
        Assert.NotNull(ring.Find(9));
        ring.Add(Event(11, 50_000));
        Assert.Null(ring.Find(10));
        Assert.NotNull(ring.Find(11));
    }

    [Fact]
    public void A_hole_starts_it_anew()
    {
        var ring = new EventRing(10, int.MaxValue);
        ring.Add(Event(1));
        ring.Add(Event(2));
        ring.Add(Event(4));
        Assert.Null(ring.Find(2));
        Assert.Null(ring.Find(3));
        Assert.NotNull(ring.Find(4));
    }

    private static EncodedEvent Event(long seq, int content = 1) => new(new ConversationEvent
    {
        Kind = EventKind.Room, Conversation = ConversationKey.Room("r"), Id = Guid.NewGuid(), From = "a", Nonce = "n", Timestamp = 1,
        Content = new string('x', content), Seq = seq, Epoch = "e",
    });
}
