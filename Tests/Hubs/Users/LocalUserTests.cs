using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Hubs.Users;

public sealed class LocalUserTests
{
    private readonly HubHarness _hub = new(new HubOptions { DirectConversations = 2 });

    [Fact]
    public void The_conversation_used_least_recently_makes_room_and_its_replay_is_answered()
    {
        foreach (var other in new[] { "bob", "carol", "dave" })
        {
            _hub.Append(ConversationKey.Direct("alice", other), other, lost: true);
        }
        var (connection, outbound) = _hub.Connect("alice");
        _hub.HoldTails = true;
        foreach (var other in new[] { "bob", "carol", "dave" })
        {
            _hub.Post(new HubMessage.ResumeDirect(connection, other, 0, null, null));
        }
        var forgotten = Assert.Single(HubHarness.Read(outbound));
        Assert.Equal("resumed", HubHarness.TypeOf(forgotten));
        Assert.Equal("bob", forgotten.GetProperty("to").GetString());
        Assert.False(forgotten.GetProperty("complete").GetBoolean());

        _hub.Release();
        var rest = HubHarness.Read(outbound).Where(frame => HubHarness.TypeOf(frame) == "resumed").ToList();
        Assert.Equal(["carol", "dave"], rest.Select(frame => frame.GetProperty("to").GetString()));
        Assert.All(rest, frame => Assert.True(frame.GetProperty("complete").GetBoolean()));
    }
}
