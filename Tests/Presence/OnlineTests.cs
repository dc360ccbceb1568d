using System.Text;
using AspireChat.Contracts.Frames;
using AspireChat.PresenceService;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class OnlineTests(RedisServer server)
{
    [Fact]
    public async Task A_user_who_connects_is_online_at_once_in_every_room_they_are_a_member_of()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby", "kitchen");
        var replica = new FakeReplica(world, "one");

        Assert.False((await replica.FullAsync(("alice", 1))).NeedFull);
        await world.SweepAsync();

        Assert.Equal(["online kitchen alice 1", "online lobby alice 1"], (await world.HeardInRoomsAsync()).Order());
        Assert.Equal(["alice"], await world.OnlineInAsync("lobby"));
        Assert.True(await world.IsOnlineAsync("alice"));
    }

    [Fact]
    public async Task What_the_script_tells_a_room_is_byte_by_byte_what_the_codec_encodes()
    {
        await using var world = await PresenceWorld.StartAsync(server, new PresenceOptions { NameThreshold = 2 });
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [("a-1", 1), ("b.2", 1)], [("lob_by", "a-1", true), ("lob_by", "b.2", true)]);
        await world.SweepAsync();
        await world.AdvanceAsync(1, replica);
        await replica.RoomsAsync(("lob_by", "a-1", false));
        await world.SweepAsync();
        await replica.SendAsync(users: [("c", 1), ("d", 1)], rooms: [("lob_by", "c", true), ("lob_by", "d", true)]);
        await world.AdvanceAsync(1, replica);

        var expected = new ServerFrame[]
        {
            new OnlineFrame("lob_by", ["a-1", "b.2"], 2), new OfflineFrame("lob_by", ["a-1"], 1), new PresenceFrame("lob_by", 3),
        };
        Assert.Equal(
            expected.Select(frame => Encoding.UTF8.GetString(ServerFrameCodec.Encode(frame))),
            await world.HeardAsync(RedisChannels.Room("lob_by")));
    }

    [Fact]
    public async Task The_last_connection_closing_means_offline_after_the_grace_period_and_not_before()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        await world.AdvanceAsync(2, replica);
        await world.HeardAsync();

        await replica.UsersAsync(("alice", 0));
        var closed = world.Time.GetUtcNow();
        await world.AdvanceAsync(4.75, replica);
        Assert.Empty(await world.HeardAsync());
        Assert.True(await world.IsOnlineAsync("alice"));

        await world.AdvanceAsync(0.25, replica);
        Assert.Equal(["offline lobby alice 0"], await world.HeardInRoomsAsync());
        Assert.Empty(await world.OnlineInAsync("lobby"));
        var presence = Assert.Single(await world.Queries.ReadAsync(["alice"], CancellationToken.None));
        Assert.False(presence.Online);
        Assert.Equal(AspireChat.Contracts.Timestamps.ToText(closed), presence.LastSeen);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    public async Task A_return_within_the_grace_period_on_any_replica_causes_neither_offline_nor_online(string returnTo)
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        var replicas = new Dictionary<string, FakeReplica> { ["one"] = new(world, "one"), ["two"] = new(world, "two") };
        await replicas["one"].FullAsync(("alice", 1));
        await replicas["two"].FullAsync();
        await world.AdvanceAsync(2, [.. replicas.Values]);
        await world.HeardAsync();

        await replicas["one"].UsersAsync(("alice", 0));
        await world.AdvanceAsync(4.5, [.. replicas.Values]);
        await replicas[returnTo].UsersAsync(("alice", 1));
        await world.AdvanceAsync(20, [.. replicas.Values]);

        Assert.Empty(await world.HeardAsync());
        Assert.True(await world.IsOnlineAsync("alice"));
    }

    [Fact]
    public async Task The_grace_period_begins_anew_with_each_closing()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        await world.AdvanceAsync(2, replica);
        await world.HeardAsync();

        await replica.UsersAsync(("alice", 0));
        await world.AdvanceAsync(3, replica);
        await replica.UsersAsync(("alice", 1));
        await replica.UsersAsync(("alice", 0));
        await world.AdvanceAsync(4.75, replica);
        Assert.Empty(await world.HeardAsync());

        await world.AdvanceAsync(0.25, replica);
        Assert.Equal(["offline lobby alice 0"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task A_user_is_online_while_any_device_on_any_replica_is_connected()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        var one = new FakeReplica(world, "one");
        var two = new FakeReplica(world, "two");
        await one.FullAsync(("alice", 2));
        await two.FullAsync(("alice", 1));
        await world.AdvanceAsync(2, one, two);
        Assert.Equal(["online lobby alice 1"], await world.HeardInRoomsAsync());

        await one.UsersAsync(("alice", 1));
        await one.UsersAsync(("alice", 0));
        await world.AdvanceAsync(20, one, two);
        Assert.Empty(await world.HeardAsync());

        await two.UsersAsync(("alice", 0));
        await world.AdvanceAsync(6, one, two);
        Assert.Equal(["offline lobby alice 0"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task The_first_join_of_an_online_user_is_online_and_a_second_join_is_silent()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        await world.AdvanceAsync(1, replica);
        Assert.Empty(await world.HeardAsync());

        await replica.RoomsAsync(("lobby", "alice", true));
        await world.SweepAsync();
        Assert.Equal(["online lobby alice 1"], await world.HeardInRoomsAsync());

        await replica.RoomsAsync(("lobby", "alice", true));
        await world.AdvanceAsync(3, replica);
        Assert.Empty(await world.HeardAsync());
    }

    [Fact]
    public async Task Leaving_a_room_is_offline_there_at_once_and_nowhere_else()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby", "kitchen");
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        await world.AdvanceAsync(1, replica);
        await world.HeardAsync();

        await replica.RoomsAsync(("lobby", "alice", false));
        await world.SweepAsync();

        Assert.Equal(["offline lobby alice 0"], await world.HeardInRoomsAsync());
        Assert.True(await world.IsOnlineAsync("alice"));
        Assert.Equal(["alice"], await world.OnlineInAsync("kitchen"));
    }

    [Fact]
    public async Task A_leave_that_every_replica_of_the_user_reports_is_told_once()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var one = new FakeReplica(world, "one");
        var two = new FakeReplica(world, "two");
        await one.SendAsync(full: true, [("alice", 1)], [("lobby", "alice", true)]);
        await two.SendAsync(full: true, [("alice", 2)], [("lobby", "alice", true)]);
        await world.AdvanceAsync(2, one, two);
        await world.HeardAsync();

        await one.RoomsAsync(("lobby", "alice", false));
        await world.AdvanceAsync(0.25, one, two);
        await two.RoomsAsync(("lobby", "alice", false));
        await world.AdvanceAsync(5, one, two);

        Assert.Equal(["offline lobby alice 0"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task A_membership_or_connection_too_brief_to_be_reported_ends_with_offline_because_snapshots_may_hold_the_user()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));

        await replica.BrieflyAsync("lobby", "alice");
        await replica.SendAsync(users: [("bob", 0)], rooms: [("kitchen", "bob", true)]);
        await world.SweepAsync();

        Assert.Equal(["offline kitchen bob 0", "offline lobby alice 0"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task A_room_some_of_whose_members_missed_frames_hears_once_and_in_its_turn_who_is_online()
    {
        await using var world = await PresenceWorld.StartAsync(server, new PresenceOptions { NameThreshold = 2 });
        var one = new FakeReplica(world, "one");
        var two = new FakeReplica(world, "two");
        await two.FullAsync();
        await one.SendAsync(
            full: true, [("a", 1), ("b", 1), ("c", 1)],
            [("lobby", "a", true), ("lobby", "b", true), .. "abc".Select(user => ("hall", user.ToString(), true))]);
        await world.AdvanceAsync(0.5, one, two);
        Assert.Equal(["online lobby a,b 2", "presence hall 3"], (await world.HeardInRoomsAsync()).Order());

        await one.MissedAsync("lobby", "hall", "nowhere");
        await two.MissedAsync("lobby", "hall");
        Assert.Empty(await world.HeardAsync());
        await world.AdvanceAsync(1, one, two);
        Assert.Equal(["online lobby a,b 2"], await world.HeardInRoomsAsync());
        await world.AdvanceAsync(5, one, two);
        Assert.Equal(["presence hall 3"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task A_report_of_a_membership_yields_to_the_logs_own_record_of_members()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var lobby = AspireChat.Contracts.Conversations.ConversationKey.Room("lobby");
        await world.Database.StringSetAsync(RedisKeys.Epoch(lobby.Partition), "e1");
        await world.Database.HashSetAsync(RedisKeys.Members(lobby), "bob", 0);
        var replica = new FakeReplica(world, "one");

        // Late news of two replicas: alice has left since, bob has joined again since.
        await replica.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true), ("lobby", "bob", false)]);
        await world.SweepAsync();

        // Who is no member is told offline although the room may never have heard of them: somebody's snapshot may.
        Assert.Equal(["offline lobby alice 1", "online lobby bob 1"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task A_room_hears_at_most_one_online_and_one_offline_a_second_whatever_happens_in_it()
    {
        await using var world = await PresenceWorld.StartAsync(server, new PresenceOptions { Grace = TimeSpan.Zero });
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync();
        var heard = new List<string>();
        var times = new Dictionary<string, List<long>> { ["online"] = [], ["offline"] = [] };
        for (var i = 0; i < 60; i++)
        {
            if (i < 40)
            {
                await replica.SendAsync(users: [($"u{i:00}", 1)], rooms: [("lobby", $"u{i:00}", true)]);
            }

            if (i is >= 10 and < 40)
            {
                await replica.UsersAsync(($"u{i - 10:00}", 0));
            }

            await world.AdvanceAsync(0.1, replica);
            foreach (var frame in await world.HeardInRoomsAsync())
            {
                heard.Add(frame);
                times[frame.Split(' ')[0]].Add(world.Now);
            }
        }

        Assert.All(
            times.Values.SelectMany(type => type.Zip(type.Skip(1))), pair => Assert.InRange(pair.Second - pair.First, 1_000, 2_000));
        Assert.InRange(heard.Count(frame => frame.StartsWith("online")), 4, 6);
        Assert.InRange(heard.Count(frame => frame.StartsWith("offline")), 3, 6);
        var told = new HashSet<string>();
        foreach (var frame in heard.Select(frame => frame.Split(' ')))
        {
            foreach (var user in frame[2].Split(','))
            {
                Assert.True(frame[0] == "online" ? told.Add(user) : told.Remove(user), $"{frame[0]} of {user} was told twice");
            }
        }
        Assert.Equal(await world.OnlineInAsync("lobby"), told.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Leaving_is_told_at_once_though_the_last_online_was_just_told_and_does_not_hurry_the_next_one()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [("a", 1), ("b", 1), ("c", 1)], [("lobby", "a", true), ("lobby", "b", true)]);
        await world.SweepAsync();
        Assert.Equal(["online lobby a,b 2"], await world.HeardInRoomsAsync());

        await world.AdvanceAsync(0.25, replica);
        await replica.RoomsAsync(("lobby", "c", true));
        await world.AdvanceAsync(0.25, replica);
        await replica.RoomsAsync(("lobby", "a", false));
        await world.SweepAsync();
        Assert.Equal(["offline lobby a 2"], await world.HeardInRoomsAsync());

        await world.AdvanceAsync(0.5, replica);
        Assert.Equal(["online lobby c 2"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task Who_comes_and_goes_between_two_tellings_is_told_as_they_ended_because_snapshots_may_hold_either()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true)]);
        await world.SweepAsync();
        await world.HeardAsync();

        await replica.RoomsAsync(("lobby", "bob", true));
        await replica.RoomsAsync(("lobby", "bob", false), ("lobby", "alice", false));
        await replica.RoomsAsync(("lobby", "alice", true));
        await world.AdvanceAsync(3, replica);

        Assert.Equal(["offline lobby bob 1", "online lobby alice 1"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task A_large_room_hears_only_counts_at_most_one_every_two_seconds()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync();
        var heard = new List<string>();
        var counts = new List<long>();
        for (var i = 0; i < 2_600; i += 50)
        {
            var names = Enumerable.Range(i, i < 2_000 ? 50 : 0).Select(n => $"u{n}").ToArray();
            await replica.SendAsync(users: [.. names.Select(name => (name, 1))], rooms: [.. names.Select(name => ("lobby", name, true))]);
            await world.AdvanceAsync(0.25, replica);
            foreach (var frame in await world.HeardInRoomsAsync())
            {
                heard.Add(frame);
                if (frame.StartsWith("presence"))
                {
                    counts.Add(world.Now);
                }
            }
        }

        Assert.All(counts.Zip(counts.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 2_000, 2_500));
        Assert.Equal("presence lobby 2000", heard[^1]);
        Assert.All(heard.SkipWhile(frame => frame.StartsWith("online")), frame => Assert.StartsWith("presence ", frame));
        // 10 s of joining: the names of the first 200, then counts.
        Assert.InRange(heard.Count, 4, 8);
    }

    [Fact]
    public async Task A_room_that_becomes_small_again_hears_every_name_and_who_left_meanwhile()
    {
        await using var world = await PresenceWorld.StartAsync(server, new PresenceOptions { NameThreshold = 3 });
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [("a", 1), ("b", 1)], [("lobby", "a", true), ("lobby", "b", true)]);
        await world.AdvanceAsync(2, replica);
        await replica.SendAsync(users: [("c", 1), ("d", 1)], rooms: [("lobby", "c", true), ("lobby", "d", true)]);
        await world.AdvanceAsync(3, replica);
        await replica.RoomsAsync(("lobby", "a", false));
        await world.AdvanceAsync(3, replica);

        Assert.Equal(
            ["online lobby a,b 2", "presence lobby 4", "offline lobby a 3", "online lobby b,c,d 3"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task A_user_whose_arrival_the_service_did_not_finish_is_placed_by_the_next_sweep_of_any_service()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        // As if the service had died between noting alice and reading her rooms.
        await world.Database.SetAddAsync(RedisKeys.PresenceOnline, "alice");
        await world.Database.SortedSetAddAsync(RedisKeys.PresenceArrivals, "alice", world.Now);

        await world.AdvanceAsync(1.25);

        Assert.Equal(["online lobby alice 1"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task A_room_left_while_the_users_rooms_were_being_read_is_not_entered()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync();
        await world.Database.SetAddAsync(RedisKeys.PresenceOnline, "alice");
        await world.Database.SortedSetAddAsync(RedisKeys.PresenceArrivals, "alice", world.Now);

        // Read by another service before alice left, handed in after.
        await replica.RoomsAsync(("lobby", "alice", false));
        var placed = await world.State.RunAsync(PresenceScripts.Place, world.Now, ["alice", world.Now, "1", 1, "lobby"], CancellationToken.None);

        Assert.Equal(0, (int)placed);
        await world.AdvanceAsync(2, replica);
        Assert.DoesNotContain(await world.HeardInRoomsAsync(), frame => frame.StartsWith("online"));
        Assert.Empty(await world.OnlineInAsync("lobby"));
        Assert.Equal(0, await world.Database.SortedSetLengthAsync(RedisKeys.PresenceArrivals));
    }
}
