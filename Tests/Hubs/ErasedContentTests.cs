using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Hubs;

/// <summary>Content that was erased is not sent any more, whatever a node still has in memory.</summary>
public sealed class ErasedContentTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ChatChannel LobbyChannel = ChatChannel.Room("lobby");

    private readonly HubHarness _hub = new();

    [Fact]
    public void After_an_erasure_nothing_is_replayed_from_the_ring()
    {
        _hub.Join("alice", "lobby");
        var written = _hub.Append(Lobby, "alice");
        _hub.Log.Redact(Lobby, written.Seq);
        _hub.Publish(LobbyChannel, "Z r:lobby");
        var (_, bob) = _hub.Join("bob", "lobby", since: 0);
        Assert.Equal("", HubHarness.Read(bob)[1].GetProperty("content").GetString());
    }

    [Fact]
    public void A_page_that_was_read_before_an_erasure_is_not_sent()
    {
        var hub = new HubHarness(new HubOptions { RingEvents = 1 });
        hub.Join("alice", "lobby");
        hub.Append(Lobby, "alice");
        hub.Append(Lobby, "alice");
        hub.HoldTails = true;
        var (_, bob) = hub.Join("bob", "lobby", since: 0);
        hub.Log.Redact(Lobby, 1);
        hub.Publish(LobbyChannel, "Z r:lobby");
        hub.Release();
        var frames = HubHarness.Read(bob);
        Assert.Equal(["joined", "room", "room", "resumed"], frames.Select(HubHarness.TypeOf));
        Assert.Equal("", frames[1].GetProperty("content").GetString());
    }
}
