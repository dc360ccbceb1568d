using System.Text;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Hubs;

public sealed class HubTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ChatChannel LobbyChannel = ChatChannel.Room("lobby");

    private readonly HubHarness _hub = new();

    [Fact]
    public void Joining_subscribes_first_then_takes_the_snapshot()
    {
        _hub.Join("alice", "lobby");
        var steps = _hub.Asked.Where(asked => asked.Contains("lobby", StringComparison.Ordinal)).ToList();
        Assert.Equal(["subscribe lobby", "join lobby alice", "presence lobby"], steps);
        Assert.Equal([("lobby", "alice", true)], _hub.Memberships);
    }

    [Fact]
    public void A_room_is_subscribed_once_for_all_and_given_up_a_while_after_the_last()
    {
        var (alice, _) = _hub.Join("alice", "lobby");
        var (bob, _) = _hub.Join("bob", "lobby");
        Assert.Single(_hub.Asked, "subscribe lobby");
        _hub.Post(new HubMessage.Closed(alice));
        _hub.Tick(60_000);
        Assert.DoesNotContain("unsubscribe lobby", _hub.Asked);
        _hub.Post(new HubMessage.Closed(bob));
        _hub.Tick(5_000);
        Assert.DoesNotContain("unsubscribe lobby", _hub.Asked);
        _hub.Tick(15_000);
        Assert.Contains("unsubscribe lobby", _hub.Asked);
        var (_, outbound) = _hub.Join("carol", "lobby");
        Assert.Equal(["joined"], HubHarness.Read(outbound).Select(HubHarness.TypeOf));
    }

    [Fact]
    public void A_gap_is_repaired_by_one_read_for_all_members()
    {
        var members = new[] { "alice", "bob", "carol" }.Select(user => _hub.Join(user, "lobby").Outbound).ToList();
        members.ForEach(member => HubHarness.Read(member));
        _hub.Append(Lobby, "alice");
        _hub.Append(Lobby, "alice", lost: true);
        _hub.Append(Lobby, "alice", lost: true);
        _hub.Append(Lobby, "alice");
        Assert.Single(_hub.Asked, asked => asked.StartsWith("tail", StringComparison.Ordinal));
        foreach (var member in members)
        {
            Assert.Equal([1, 2, 3, 4], HubHarness.Read(member).Select(HubHarness.SeqOf));
        }
    }

    [Fact]
    public void What_arrives_during_a_repair_waits_for_it()
    {
        var (_, bob) = _hub.Join("bob", "lobby");
        HubHarness.Read(bob);
        _hub.HoldTails = true;
        _hub.Append(Lobby, "alice", lost: true);
        _hub.Append(Lobby, "alice");
        _hub.Append(Lobby, "alice");
        Assert.False(bob.HasFrames);
        _hub.Release();
        Assert.Equal([1, 2, 3], HubHarness.Read(bob).Select(HubHarness.SeqOf));
    }

    [Fact]
    public void A_lost_last_event_is_found_by_the_head_check()
    {
        var (_, bob) = _hub.Join("bob", "lobby");
        HubHarness.Read(bob);
        _hub.Append(Lobby, "alice", lost: true);
        for (var elapsed = 0; elapsed < 1_000; elapsed += 100)
        {
            _hub.Tick(100);
        }

        Assert.Equal([1], HubHarness.Read(bob).Select(HubHarness.SeqOf));
    }

    [Fact]
    public void Quiet_rooms_read_nothing_but_their_partitions_place_whatever_their_number()
    {
        for (var room = 0; room < 50; room++)
        {
            _hub.Join("bob", $"room-{room}");
        }
        _hub.Join("bob", "lobby");
        _hub.Append(Lobby, "alice");
        for (var elapsed = 0; elapsed < 10_000; elapsed += 100)
        {
            _hub.Tick(100);
        }

        Assert.DoesNotContain(_hub.Asked, asked => asked.StartsWith("tail", StringComparison.Ordinal));
        Assert.InRange(_hub.Asked.Count(asked => asked == "places"), 15, 25);
        Assert.InRange(_hub.Asked.Count(asked => asked == "heads"), 1, 3);
    }

    [Fact]
    public void A_busy_room_reads_no_heads_and_its_lost_last_event_is_found_all_the_same()
    {
        var (_, bob) = _hub.Join("bob", "lobby");
        for (var sent = 0; sent < 100; sent++)
        {
            _hub.Append(Lobby, "alice");
            _hub.Tick(100);
        }
        Assert.Equal(0, _hub.Asked.Count(asked => asked is "heads" or "places"));
        HubHarness.Read(bob);

        _hub.Append(Lobby, "alice", lost: true);
        var elapsed = 0;
        while (!bob.HasFrames && elapsed < 10_000)
        {
            _hub.Tick(100);
            elapsed += 100;
        }

        Assert.Equal([101], HubHarness.Read(bob).Select(HubHarness.SeqOf));
        // Half an interval of silence, an interval, and what an event under way is given.
        Assert.InRange(elapsed, 0, 1_000);
    }

    [Fact]
    public void A_hub_needs_no_ticks_of_its_own_while_its_rooms_are_quiet()
    {
        var (alice, _) = _hub.Join("alice", "lobby");
        for (var elapsed = 0; elapsed < 3_000; elapsed += 100)
        {
            _hub.Tick(100);
        }
        Assert.False(_hub.IsWaiting);

        // An event that is known to exist, and did not come yet, has to be looked after.
        Acknowledge(alice, _hub.Append(Lobby, "alice", lost: true));
        Assert.True(_hub.IsWaiting);
    }

    [Fact]
    public void A_reconnect_storm_is_served_from_the_ring()
    {
        _hub.Join("alice", "lobby");
        for (var i = 0; i < 50; i++)
        {
            _hub.Append(Lobby, "alice");
        }

        for (var i = 0; i < 200; i++)
        {
            var (_, outbound) = _hub.Join($"user{i}", "lobby", since: 10);
            var frames = HubHarness.Read(outbound);
            Assert.Equal(Enumerable.Range(11, 40).Select(seq => (long)seq), frames[1..^1].Select(HubHarness.SeqOf));
            Assert.True(frames[^1].GetProperty("complete").GetBoolean());
        }
        Assert.DoesNotContain(_hub.Asked, asked => asked.StartsWith("tail", StringComparison.Ordinal));
    }

    [Fact]
    public void A_storm_into_a_cold_room_reads_each_page_of_the_log_about_once()
    {
        for (var i = 0; i < 500; i++)
        {
            _hub.Append(Lobby, "alice", lost: true);
        }

        _hub.HoldTails = true;
        var outbounds = Enumerable.Range(0, 100).Select(i => _hub.Join($"user{i}", "lobby", since: i).Outbound).ToList();
        _hub.Release();
        for (var i = 0; i < 100; i++)
        {
            var frames = HubHarness.Read(outbounds[i]);
            Assert.Equal(Enumerable.Range(i + 1, 500 - i).Select(seq => (long)seq), frames[1..^1].Select(HubHarness.SeqOf));
        }
        // 500 events are four pages of 128. The first replay is asked for before the others have come, so its page is read twice.
        Assert.InRange(_hub.Asked.Count(asked => asked.StartsWith("tail", StringComparison.Ordinal)), 4, 5);
    }

    [Fact]
    public void A_replay_ends_at_its_limit_and_live_goes_on_behind_the_head()
    {
        var hub = new HubHarness(new HubOptions { ReplayEvents = 100 });
        for (var i = 0; i < 250; i++)
        {
            hub.Append(Lobby, "alice", lost: true);
        }

        var (_, bob) = hub.Join("bob", "lobby", since: 20);
        var frames = HubHarness.Read(bob);
        Assert.Equal(Enumerable.Range(21, 100).Select(seq => (long)seq), frames[1..^1].Select(HubHarness.SeqOf));
        Assert.Equal((120, 250, false),
            (HubHarness.SeqOf(frames[^1]), frames[^1].GetProperty("head").GetInt64(), frames[^1].GetProperty("complete").GetBoolean()));
        hub.Append(Lobby, "alice");
        Assert.Equal([251], HubHarness.Read(bob).Select(HubHarness.SeqOf));
    }

    [Fact]
    public void Deleted_content_is_not_replayed_from_the_ring()
    {
        _hub.Join("alice", "lobby");
        _hub.Append(Lobby, "alice");
        _hub.Append(Lobby, "alice", kind: EventKind.Edit, target: 1);
        _hub.Append(Lobby, "alice", kind: EventKind.Delete, target: 1);
        var (_, bob) = _hub.Join("bob", "lobby", since: 0);
        var frames = HubHarness.Read(bob);
        Assert.Equal(["joined", "room", "edit", "delete", "resumed"], frames.Select(HubHarness.TypeOf));
        Assert.All(frames[1..3], frame =>
            Assert.Equal(("", true), (frame.GetProperty("content").GetString(), frame.GetProperty("deleted").GetBoolean())));
    }

    [Fact]
    public void A_seq_claimed_by_two_events_is_delivered_once()
    {
        var (_, bob) = _hub.Join("bob", "lobby");
        HubHarness.Read(bob);
        var first = _hub.Append(Lobby, "alice");
        var other = first with { Id = Guid.NewGuid(), From = "eve", Content = "other" };
        _hub.Publish(LobbyChannel, $"E {first.Epoch} 1 {Encoding.UTF8.GetString(LogRecordCodec.Encode(other))}");
        Assert.Equal(["content 1"], HubHarness.Read(bob).Select(frame => frame.GetProperty("content").GetString()));
    }

    [Fact]
    public void An_ephemeral_frame_reaches_everybody_but_its_author()
    {
        var (_, alice) = _hub.Join("alice", "lobby");
        var (_, phone) = _hub.Join("alice", "lobby");
        var (_, bob) = _hub.Join("bob", "lobby");
        foreach (var outbound in new[] { alice, phone, bob })
        {
            HubHarness.Read(outbound);
        }

        _hub.Publish(LobbyChannel, "F alice {\"type\":\"typing\",\"from\":\"alice\"}");
        Assert.False(alice.HasFrames);
        Assert.False(phone.HasFrames);
        Assert.Equal(["typing"], HubHarness.Read(bob).Select(HubHarness.TypeOf));
        _hub.Publish(LobbyChannel, "F * {\"type\":\"online\"}");
        Assert.True(alice.HasFrames && phone.HasFrames && bob.HasFrames);
    }

    [Fact]
    public void Presence_told_while_the_snapshot_is_read_reaches_the_joiner_after_it()
    {
        var (_, alice) = _hub.Join("alice", "lobby");
        HubHarness.Read(alice);
        _hub.HoldPresence = true;
        var (_, bob) = _hub.Join("bob", "lobby");
        _hub.Publish(LobbyChannel, "F * {\"type\":\"online\"}");
        _hub.Publish(LobbyChannel, "F bob {\"type\":\"typing\",\"from\":\"bob\"}");
        Assert.False(bob.HasFrames);

        _hub.Release();
        Assert.Equal(["joined", "online"], HubHarness.Read(bob).Select(HubHarness.TypeOf));
        Assert.Equal(["online", "typing"], HubHarness.Read(alice).Select(HubHarness.TypeOf));

        var (_, carol) = _hub.Join("carol", "lobby");
        Assert.Equal(["joined"], HubHarness.Read(carol).Select(HubHarness.TypeOf));
    }

    [Fact]
    public void Durable_is_told_to_senders_only_and_once()
    {
        var (sender, alice) = _hub.Join("alice", "lobby");
        var (_, bob) = _hub.Join("bob", "lobby");
        foreach (var outbound in new[] { alice, bob })
        {
            HubHarness.Read(outbound);
        }

        for (var i = 0; i < 3; i++)
        {
            Acknowledge(sender, _hub.Append(Lobby, "alice"));
        }

        HubHarness.Read(alice);
        HubHarness.Read(bob);
        _hub.Publish(LobbyChannel, $"D r:lobby {_hub.Log.Epoch} 2");
        _hub.Publish(LobbyChannel, $"D r:lobby {_hub.Log.Epoch} 2");
        _hub.Publish(LobbyChannel, $"D r:lobby {_hub.Log.Epoch} 3");
        _hub.Publish(LobbyChannel, $"D r:lobby {_hub.Log.Epoch} 9");
        Assert.Equal([2, 3], HubHarness.Read(alice).Select(HubHarness.SeqOf));
        Assert.False(bob.HasFrames);

        // The commit was quicker than the ack.
        var late = _hub.Append(Lobby, "alice");
        HubHarness.Read(alice);
        Acknowledge(sender, late);
        Assert.Equal(["ack", "durable"], HubHarness.Read(alice).Select(HubHarness.TypeOf));
    }

    [Fact]
    public void A_lost_word_that_the_last_event_is_durable_is_made_good_by_the_next_look_at_the_heads()
    {
        var (sender, alice) = _hub.Join("alice", "lobby");
        var (_, bob) = _hub.Join("bob", "lobby");
        Acknowledge(sender, _hub.Append(Lobby, "alice"));
        Acknowledge(sender, _hub.Append(Lobby, "alice"));
        var direct = ConversationKey.Direct("alice", "bob");
        Acknowledge(sender, _hub.Append(direct, "alice"));
        foreach (var outbound in new[] { alice, bob })
        {
            HubHarness.Read(outbound);
        }

        _hub.Log.Commit(Lobby, 1);
        Sweep();
        _hub.Log.Commit(Lobby, 2);
        _hub.Log.Commit(direct, 1);
        Sweep();
        Sweep();

        var told = HubHarness.Read(alice);
        Assert.All(told, frame => Assert.Equal("durable", HubHarness.TypeOf(frame)));
        Assert.Equal([1, 2], told.Where(frame => frame.TryGetProperty("room", out _)).Select(HubHarness.SeqOf));
        Assert.Equal([1], told.Where(frame => frame.TryGetProperty("to", out _)).Select(HubHarness.SeqOf));
        Assert.False(bob.HasFrames);

        void Sweep()
        {
            for (var i = 0; i < 30; i++)
            {
                _hub.Tick(100);
            }
        }
    }

    [Fact]
    public void What_is_committed_in_another_epoch_says_nothing_about_a_direct_message_of_this_one()
    {
        var (sender, alice) = _hub.Connect("alice");
        HubHarness.Read(alice);
        var sent = new ConversationEvent
        {
            Kind = EventKind.Dm, Conversation = ConversationKey.Direct("alice", "bob"), Id = Guid.NewGuid(), From = "alice", Nonce = "n", Timestamp = 0,
        };
        _hub.Post(new HubMessage.Appended(sender, sent, new AppendResult(AppendStatus.Accepted, sent.Id, 4, "old", 0, 0)));
        HubHarness.Read(alice);

        // Redis was wiped: another event got the place of the one that was lost, and is committed there.
        _hub.Publish(ChatChannel.User("alice"), "D d:alice:bob new 5");
        Assert.False(alice.HasFrames);
        _hub.Publish(ChatChannel.User("alice"), "D d:alice:bob old 4");
        Assert.Equal([4], HubHarness.Read(alice).Select(HubHarness.SeqOf));
    }

    [Fact]
    public void Cursors_of_an_interval_are_passed_on_together_the_last_wins()
    {
        var (_, bob) = _hub.Join("bob", "lobby");
        HubHarness.Read(bob);
        foreach (var seq in new[] { 1, 5, 3 })
        {
            _hub.Publish(LobbyChannel, $"R r:lobby alice {seq}");
        }

        Assert.False(bob.HasFrames);
        _hub.Tick(1_000);
        _hub.Tick(1_000);
        Assert.Equal([5], HubHarness.Read(bob).Select(HubHarness.SeqOf));
    }

    [Fact]
    public void After_a_break_of_pub_sub_or_an_overflow_presence_is_told_again_where_somebody_listens()
    {
        _hub.Join("alice", "lobby");
        var (bob, _) = _hub.Join("bob", "kitchen");
        _hub.Post(new HubMessage.Closed(bob));

        _hub.Post(new HubMessage.Restored());
        Assert.Equal(["lobby"], _hub.Missed);
        _hub.Post(new HubMessage.Overflowed(LobbyChannel));
        Assert.Equal(["lobby", "lobby"], _hub.Missed);
    }

    private void Acknowledge(Connection connection, ConversationEvent e) =>
        _hub.Post(new HubMessage.Appended(connection, e, new AppendResult(AppendStatus.Accepted, e.Id, e.Seq, e.Epoch, e.Timestamp, 0)));
}
