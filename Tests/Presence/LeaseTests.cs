using AspireChat.Contracts;
using AspireChat.Contracts.Presence;
using AspireChat.PresenceService;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class LeaseTests(RedisServer server)
{
    [Fact]
    public async Task A_replica_that_stops_reporting_takes_its_users_offline_within_the_lease_and_two_seconds()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        await world.MemberAsync("bob", "lobby");
        var dead = new FakeReplica(world, "dead");
        var alive = new FakeReplica(world, "alive");
        await dead.FullAsync(("alice", 1), ("bob", 1));
        await alive.FullAsync(("bob", 1));
        var last = world.Time.GetUtcNow();
        await world.AdvanceAsync(9.75, alive);
        Assert.Equal(["online lobby alice,bob 2"], await world.HeardInRoomsAsync());

        await world.AdvanceAsync(2.25, alive);

        Assert.Equal(["offline lobby alice 1"], await world.HeardInRoomsAsync());
        var presence = await world.Queries.ReadAsync(["alice", "bob"], CancellationToken.None);
        Assert.Equal([false, true], presence.Select(user => user.Online));
        Assert.Equal(Timestamps.ToText(last), presence[0].LastSeen);
    }

    [Fact]
    public async Task Users_who_reconnect_elsewhere_before_the_lease_ends_never_flap()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        var dead = new FakeReplica(world, "dead");
        var alive = new FakeReplica(world, "alive");
        await dead.FullAsync(("alice", 1));
        await alive.FullAsync();
        await world.AdvanceAsync(7, alive);
        await world.HeardAsync();

        await alive.UsersAsync(("alice", 1));
        await world.AdvanceAsync(30, alive);

        Assert.Empty(await world.HeardAsync());
        Assert.True(await world.IsOnlineAsync("alice"));
    }

    [Fact]
    public async Task Every_user_goes_offline_after_a_replica_with_a_thousand_users_has_died()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var dead = new FakeReplica(world, "dead");
        var users = Enumerable.Range(0, 1_100).Select(i => $"u{i}").ToArray();
        await dead.SendAsync(
            full: true, [.. users.Select(user => (user, 2))], [.. users.Select((user, i) => ($"room{i % 50}", user, true))]);
        await world.AdvanceAsync(12);

        Assert.All(await world.Queries.ReadAsync(users, CancellationToken.None), user => Assert.False(user.Online));
        var left = world.Database.Multiplexer.GetServers()[0].Keys(pattern: "{presence}:*").Select(key => (string)key!)
            .Where(key => !key.StartsWith("{presence}:seen:") && !key.StartsWith("{presence}:diff:")).Order();
        Assert.Equal([RedisKeys.PresenceWatch], left);
        Assert.All(
            world.Database.Multiplexer.GetServers()[0].Keys(pattern: "{presence}:diff:*").ToArray(),
            key => Assert.NotNull(world.Database.KeyTimeToLive(key)));
    }

    [Fact]
    public async Task Late_and_repeated_reports_change_nothing()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        await replica.UsersAsync(("alice", 0), ("bob", 1));

        await replica.SendAsync(full: true, [("alice", 1)], sequence: 1);
        await replica.SendAsync(users: [("carol", 1), ("bob", 0)], sequence: 2);
        await world.AdvanceAsync(6, new FakeReplica(world, "other"));

        Assert.False(await world.IsOnlineAsync("alice"));
        Assert.True(await world.IsOnlineAsync("bob"));
        Assert.False(await world.IsOnlineAsync("carol"));
    }

    [Fact]
    public async Task A_restarted_replica_voids_its_former_processs_reports_even_those_that_arrive_late()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var before = new FakeReplica(world, "one");
        await before.FullAsync(("alice", 1), ("bob", 1));
        var after = new FakeReplica(world, "one");
        await after.FullAsync(("bob", 1));

        Assert.False((await before.SendAsync(full: true, [("alice", 1), ("carol", 1)])).NeedFull);
        await before.UsersAsync(("bob", 0));
        await world.AdvanceAsync(6, after);

        var presence = await world.Queries.ReadAsync(["alice", "bob", "carol"], CancellationToken.None);
        Assert.Equal([false, true, false], presence.Select(user => user.Online));
    }

    [Fact]
    public async Task An_unknown_replica_is_asked_for_a_full_report_and_its_changes_are_not_applied()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");

        Assert.True((await replica.UsersAsync(("alice", 1))).NeedFull);
        Assert.False(await world.IsOnlineAsync("alice"));
        Assert.False((await replica.FullAsync(("alice", 1))).NeedFull);
        Assert.True(await world.IsOnlineAsync("alice"));
        Assert.False((await replica.RenewAsync()).NeedFull);
    }

    [Fact]
    public async Task A_user_who_is_missing_from_a_full_report_goes_offline_after_the_grace_period()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true), ("lobby", "bob", true)]);
        await world.AdvanceAsync(2, replica);
        await world.HeardAsync();

        await replica.FullAsync();
        await world.AdvanceAsync(4.5, replica);
        Assert.Empty(await world.HeardAsync());
        await world.AdvanceAsync(0.5, replica);
        Assert.Equal(["offline lobby alice,bob 0"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task A_full_report_of_thousands_of_users_is_applied_whole()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        var users = Enumerable.Range(0, 1_700).Select(i => $"u{i}").ToArray();
        await replica.SendAsync(
            full: true,
            [.. users.Select(user => (user, 1))],
            [.. users.Select(user => ("x", user, true)), .. users.Select(user => ("y", user, true))]);

        Assert.All(await world.Queries.ReadAsync(users, CancellationToken.None), user => Assert.True(user.Online));
        Assert.Equal(1_700, (await world.OnlineInAsync("y")).Length);
    }

    [Fact]
    public async Task A_pause_of_the_service_ends_no_lease_and_no_grace_period_early()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await world.MemberAsync("alice", "lobby");
        await world.MemberAsync("bob", "lobby");
        await world.MemberAsync("carol", "lobby");
        var alive = new FakeReplica(world, "alive");
        var dead = new FakeReplica(world, "dead");
        await alive.FullAsync(("alice", 1), ("carol", 1));
        await dead.FullAsync(("bob", 1));
        await world.AdvanceAsync(1, alive, dead);
        await alive.UsersAsync(("carol", 0));
        await world.HeardAsync();

        // Meanwhile carol came back and one replica died, but no service was there to hear it.
        world.Time.Advance(TimeSpan.FromSeconds(60));
        await world.SweepAsync();
        await alive.UsersAsync(("carol", 1));
        await world.AdvanceAsync(9, alive);
        Assert.Empty(await world.HeardAsync());

        await world.AdvanceAsync(3, alive);
        Assert.Equal(["offline lobby bob 2"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task After_Redis_lost_all_data_presence_is_rebuilt_with_one_frame_per_room_and_nobody_is_told_offline()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var one = new FakeReplica(world, "one");
        var two = new FakeReplica(world, "two");
        await one.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true), ("lobby", "bob", true)]);
        await two.SendAsync(full: true, [("carol", 1)], [("lobby", "carol", true), ("kitchen", "carol", true)]);
        await world.AdvanceAsync(5, one, two);
        await world.HeardAsync();

        await world.FlushAsync();
        Assert.True((await one.RenewAsync()).NeedFull);
        await one.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true), ("lobby", "bob", true)]);
        await world.AdvanceAsync(2, one);
        Assert.True((await two.RenewAsync()).NeedFull);
        await two.SendAsync(full: true, [("carol", 1)], [("lobby", "carol", true), ("kitchen", "carol", true)]);
        Assert.Equal(["alice", "bob", "carol"], await world.OnlineInAsync("lobby"));
        Assert.Empty(await world.HeardAsync());

        await world.AdvanceAsync(8, one, two);
        Assert.Equal(["online kitchen carol 1", "online lobby alice,bob,carol 3"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task Several_services_share_the_work_and_tell_each_change_once()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var services = Enumerable.Range(0, 3).Select(_ => world.CreateService()).ToArray();
        var replicas = services.Select((service, i) => new FakeReplica(world, $"replica{i}") { Handler = service.Handler }).ToArray();
        await Task.WhenAll(replicas.Select((replica, i) => replica.SendAsync(
            full: true,
            [.. Enumerable.Range(0, 60).Select(user => ($"r{i}u{user}", 1))],
            [.. Enumerable.Range(0, 60).Select(user => ($"room{user}", $"r{i}u{user}", true))])));
        await SweepTogetherAsync();
        var heard = await world.HeardInRoomsAsync();
        Assert.Equal(180, heard.Sum(frame => frame.Split(' ')[2].Split(',').Length));
        Assert.Equal(60, heard.Count);

        // All replicas die at once.
        for (var i = 0; i < 48; i++)
        {
            world.Time.Advance(TimeSpan.FromMilliseconds(250));
            await SweepTogetherAsync();
        }
        heard = await world.HeardInRoomsAsync();
        Assert.All(heard, frame => Assert.StartsWith("offline", frame));
        Assert.Equal(180, heard.Sum(frame => frame.Split(' ')[2].Split(',').Length));

        Task SweepTogetherAsync() => Task.WhenAll(services.Select(service => service.Sweep.RunAsync(CancellationToken.None)));
    }

    [Fact]
    public async Task Work_that_another_service_has_done_or_that_is_no_longer_due_is_left_alone()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [("alice", 1), ("bob", 1)], [("lobby", "alice", true), ("lobby", "bob", true)]);
        await world.AdvanceAsync(0.25, replica);
        await replica.UsersAsync(("bob", 0));
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true));
        await world.HeardAsync();

        // A slow service asks for the work that was due a while ago. All of it has been renewed since.
        var ended = (long[])(await world.State.RunAsync(
            PresenceScripts.Lease, world.Now, ["one", 1_000, 10_000, 100], CancellationToken.None))!;
        Assert.Equal(0, ended.Sum());
        var gone = (long[])(await world.State.RunAsync(
            PresenceScripts.Offline, world.Now, [100, "alice", "bob"], CancellationToken.None))!;
        Assert.Equal(0, gone.Sum());
        var told = (long[])(await world.State.RunAsync(
            PresenceScripts.Diffs, world.Now, [1_000, 2_000, 200, "lobby", "channel"], CancellationToken.None))!;
        Assert.Equal(0, told[..3].Sum());
        Assert.Equal(0, (long)await world.State.RunAsync(
            PresenceScripts.Typing, world.Now, [world.Now, 20, 500, "due", "lobby", "alice", "channel"],
            CancellationToken.None));
        Assert.Empty(await world.HeardAsync());
        Assert.Equal(["alice", "bob"], await world.OnlineInAsync("lobby"));
    }

    [Fact]
    public async Task Renewing_a_lease_costs_one_script_call_however_many_users_the_replica_has()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync([.. Enumerable.Range(0, 2_000).Select(i => ($"u{i}", 1))]);
        await replica.RenewAsync();
        var redis = world.Database.Multiplexer.GetServers()[0];

        await redis.ExecuteAsync("CONFIG", "RESETSTAT");
        for (var i = 0; i < 10; i++)
        {
            await replica.RenewAsync();
        }

        var calls = (await redis.InfoAsync("commandstats")).SelectMany(section => section)
            .Where(pair => !pair.Key.Contains("config") && !pair.Key.Contains("info") && !pair.Key.Contains("ping"))
            .ToDictionary(pair => pair.Key, pair => int.Parse(pair.Value.Split('=', ',')[1]));
        Assert.Equal(10, calls["cmdstat_evalsha"]);
        Assert.InRange(calls.Values.Sum(), 10, 80);
    }

    [Fact]
    public void A_lease_shorter_than_the_grace_period_is_refused_by_name()
    {
        var options = new PresenceOptions { Lease = TimeSpan.FromSeconds(4) };
        var fault = Assert.Single(options.Validate(new System.ComponentModel.DataAnnotations.ValidationContext(options)));
        Assert.Equal([nameof(PresenceOptions.Lease)], fault.MemberNames);
    }
}
