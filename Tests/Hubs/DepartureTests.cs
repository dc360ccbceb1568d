using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Hubs;

/// <summary>Who is put out, by an operator or by a leave on another connection or node, also when pub/sub did not say so.</summary>
public sealed class DepartureTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");

    private readonly HubHarness _hub = new();

    [Fact]
    public void A_kick_closes_all_of_the_users_connections()
    {
        var (_, one) = _hub.Connect("alice");
        var (_, other) = _hub.Connect("alice");
        var (_, bob) = _hub.Connect("bob");
        _hub.Publish(ChatChannel.User("alice"), "K");
        Assert.Equal((CloseCodes.Forbidden, CloseCodes.Forbidden, 0), (one.CloseCode, other.CloseCode, bob.CloseCode));
    }

    [Fact]
    public void A_kick_that_pubsub_did_not_bring_closes_what_was_open_then_and_nothing_newer()
    {
        var (_, before) = _hub.Connect("alice", openedAt: 1_000);
        var (_, after) = _hub.Connect("alice", openedAt: 1_001);
        _hub.Post(new HubMessage.Kicked("alice", 1_000));
        Assert.Equal((CloseCodes.Forbidden, 0), (before.CloseCode, after.CloseCode));
    }

    [Fact]
    public void A_leave_whose_signal_is_lost_takes_effect_all_the_same()
    {
        var (alice, outbound) = _hub.Join("alice", "lobby");
        HubHarness.Read(outbound);
        var pass = new RoomPass();
        _hub.Post(new HubMessage.Leave(alice, "lobby", pass, RawJson.Of("\"bye\"")));
        Assert.Equal("bye", HubHarness.Read(outbound).Single().GetProperty("ref").GetString());
        Assert.True(pass.Settled.IsCompleted);
        Assert.False(pass.Joined);
    }

    [Fact]
    public void A_leave_on_another_node_that_pubsub_did_not_bring_is_found_when_pubsub_is_back()
    {
        var (_, alice) = _hub.Join("alice", "lobby");
        var (_, bob) = _hub.Join("bob", "lobby");
        HubHarness.Read(alice);
        HubHarness.Read(bob);
        _hub.Log.Leave("lobby", "alice");
        _hub.Tick(100);
        Assert.False(alice.HasFrames);
        _hub.Post(new HubMessage.Restored());
        _hub.Tick(100);
        Assert.Equal(["left"], HubHarness.Read(alice).Select(HubHarness.TypeOf));
        Assert.False(bob.HasFrames);
        Assert.Contains(("lobby", "alice", false), _hub.Memberships);
    }

    [Fact]
    public void A_membership_that_went_with_a_wipe_is_written_again_until_it_is_and_nobody_is_put_out_meanwhile()
    {
        var (_, alice) = _hub.Join("alice", "lobby");
        HubHarness.Read(alice);
        _hub.Log.Leave("lobby", "alice");
        _hub.Log.Rebuild(lost: 0);
        _hub.FailJoins = true;
        _hub.Post(new HubMessage.Restored());
        for (var elapsed = 0; elapsed < 2_000; elapsed += 100)
        {
            _hub.Tick(100);
        }

        Assert.Equal(["resumed"], HubHarness.Read(alice).Select(HubHarness.TypeOf));
        Assert.False(_hub.Log.IsMember("lobby", "alice"));
        _hub.FailJoins = false;
        for (var elapsed = 0; elapsed < 2_000; elapsed += 100)
        {
            _hub.Tick(100);
        }

        Assert.True(_hub.Log.IsMember("lobby", "alice"));
        Assert.False(alice.HasFrames);
    }

    [Fact]
    public void A_leave_that_is_heard_late_does_not_end_a_later_join()
    {
        var (_, desk) = _hub.Join("alice", "lobby");
        HubHarness.Read(desk);
        var left = _hub.Log.Leave("lobby", "alice");
        var (_, phone) = _hub.Join("alice", "lobby");
        HubHarness.Read(phone);
        _hub.Publish(ChatChannel.User("alice"), $"L lobby {left}");
        Assert.Equal(["left"], HubHarness.Read(desk).Select(HubHarness.TypeOf));
        Assert.False(phone.HasFrames);
        _hub.Append(Lobby, "bob");
        Assert.Equal([1], HubHarness.Read(phone).Select(HubHarness.SeqOf));
        Assert.False(desk.HasFrames);
    }

    [Fact]
    public void A_join_behind_a_leave_of_the_same_user_comes_after_it()
    {
        var (desk, deskOutbound) = _hub.Join("alice", "lobby");
        var (phone, phoneOutbound) = _hub.Connect("alice");
        HubHarness.Read(deskOutbound);
        _hub.Post(new HubMessage.Leave(desk, "lobby", new RoomPass(), null));
        _hub.Post(new HubMessage.Join(phone, "lobby", new RoomPass(), null, null, null));
        Assert.Equal(["left"], HubHarness.Read(deskOutbound).Select(HubHarness.TypeOf));
        Assert.Equal(["joined"], HubHarness.Read(phoneOutbound).Select(HubHarness.TypeOf));
        Assert.True(_hub.Log.IsMember("lobby", "alice"));
    }
}
