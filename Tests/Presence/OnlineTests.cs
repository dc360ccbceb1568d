using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

/// <summary>Which users are online in which rooms, and from when to when.</summary>
[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class OnlineTests(RedisServer server)
{
    [Fact]
    public async Task A_user_who_connects_is_online_at_once_in_all_of_their_rooms()
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
    public async Task Who_comes_and_goes_stands_in_the_stream_of_changes_while_somebody_reads_it()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await OnlineAliceAsync(world, "lobby");
        Assert.False(await world.Database.KeyExistsAsync(RedisKeys.PresenceChanges));

        await world.Database.StringSetAsync(RedisKeys.PresenceWatched, "1");
        await replica.UsersAsync(("alice", 0), ("bob", 1));
        await world.AdvanceAsync(5, replica);
        await replica.UsersAsync(("bob", 2));

        var changes = await world.Database.StreamRangeAsync(RedisKeys.PresenceChanges);
        Assert.Equal(
            [("bob", "1"), ("alice", "0")],
            changes.Select(change => ((string)change[PresenceChangeFields.User]!, (string)change[PresenceChangeFields.Online]!)));
    }

    [Fact]
    public async Task A_user_whose_last_connection_closes_is_offline_after_the_grace_period_and_not_before()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await OnlineAliceAsync(world, "lobby");

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
    public async Task A_return_on_any_replica_within_the_grace_period_causes_neither_offline_nor_online(string returnTo)
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
    public async Task The_grace_period_starts_again_with_each_close()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await OnlineAliceAsync(world, "lobby");

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
    public async Task The_first_join_of_an_online_user_is_told_online_and_a_second_join_is_not()
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
    public async Task Leaving_a_room_is_told_offline_there_at_once_and_nowhere_else()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await OnlineAliceAsync(world, "lobby", "kitchen");

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
    public async Task A_membership_or_connection_too_brief_to_be_reported_is_told_offline_because_snapshots_may_have_the_user()
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
    public async Task The_logs_record_of_members_overrides_a_report_of_a_membership()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var lobby = AspireChat.Contracts.Conversations.ConversationKey.Room("lobby");
        await world.Database.StringSetAsync(RedisKeys.Epoch(lobby.Partition), "e1");
        await world.Database.HashSetAsync(RedisKeys.Members(lobby), "bob", 0);
        var replica = new FakeReplica(world, "one");

        // The reports of two replicas are late: alice has left since, and bob has joined again.
        await replica.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true), ("lobby", "bob", false)]);
        await world.SweepAsync();

        // The room may never have heard of alice, but a snapshot may have had her, so she is told offline.
        Assert.Equal(["offline lobby alice 1", "online lobby bob 1"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task An_arrival_that_a_service_did_not_finish_is_finished_by_the_next_sweep_of_any_service()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        // This is the state when the service dies between noting alice and reading her rooms.
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

        // Another service has read alice's rooms before she left, and hands them in afterwards.
        await replica.RoomsAsync(("lobby", "alice", false));
        var placed = await world.State.RunAsync(PresenceScripts.Place, world.Now, ["alice", world.Now, "1", 1, "lobby"], CancellationToken.None);

        Assert.Equal(0, (int)placed);
        await world.AdvanceAsync(2, replica);
        Assert.DoesNotContain(await world.HeardInRoomsAsync(), frame => frame.StartsWith("online"));
        Assert.Empty(await world.OnlineInAsync("lobby"));
        Assert.Equal(0, await world.Database.SortedSetLengthAsync(RedisKeys.PresenceArrivals));
    }

    /// <summary>Alice is a member of the rooms and online in them by one connection, and the rooms have heard it.</summary>
    private static async Task<FakeReplica> OnlineAliceAsync(PresenceWorld world, params string[] rooms)
    {
        await world.MemberAsync("alice", rooms);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        await world.AdvanceAsync(2, replica);
        await world.HeardAsync();
        return replica;
    }
}
