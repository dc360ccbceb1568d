using AspireChat.Contracts.Presence;
using AspireChat.RedisLog;
using AspireChat.Tests.RedisLog;
using AspireChat.Tests.Servers;
using StackExchange.Redis;

namespace AspireChat.Tests.Presence;

/// <summary>The largest work that clients can make each script of presence do, and that it is right although it takes several calls.</summary>
[Trait("Needs", "Redis")]
public sealed class HostileScriptTests(RedisServer server) : IClassFixture<RedisServer>
{
    private const int Many = 5_000;

    /// <summary>Commands in one script call: about three milliseconds of Redis.</summary>
    private const int MostCommands = 3_000;

    [Fact]
    public async Task No_user_holds_Redis_up_by_coming_and_going_however_many_rooms_they_are_in()
    {
        string[] rooms = [.. Enumerable.Range(0, 24_000).Select(i => $"room{i}")];
        await HoldsNobodyUpAsync(async () =>
        {
            await using var world = await PresenceWorld.StartAsync(server);
            await JoinedAsync(world, "alice", rooms);
            var replica = new FakeReplica(world, "one");
            await replica.FullAsync();
            await replica.UsersAsync(("alice", 1));
            Assert.Equal(rooms.Length, await world.Database.SetLengthAsync(RedisKeys.PresenceIn("alice")));
            await world.SweepAsync();
            await replica.UsersAsync(("alice", 0));
            await world.AdvanceAsync(6, replica);
            Assert.Equal(0, await world.Database.SetLengthAsync(RedisKeys.PresenceIn("alice")));
            Assert.False(await world.IsOnlineAsync("alice"));
        });
    }

    [Fact]
    public async Task No_crowd_holds_Redis_up_by_coming_and_going_together()
    {
        (string User, int Connections)[] crowd = [.. Enumerable.Range(0, Many).Select(i => ($"user{i}", 1))];
        await HoldsNobodyUpAsync(async () =>
        {
            await using var world = await PresenceWorld.StartAsync(server);
            foreach (var (user, _) in crowd)
            {
                await JoinedAsync(world, user, "one", "two", "three");
            }

            var replica = new FakeReplica(world, "one");
            await replica.FullAsync(crowd);
            await world.AdvanceAsync(2, replica);
            Assert.Equal(Many, await world.Database.SetLengthAsync(RedisKeys.RoomOnline("two")));
            // Nobody looked for longer than a lease: all get the full time again.
            await replica.UsersAsync([.. crowd.Select(user => (user.User, 0))]);
            world.Time.Advance(TimeSpan.FromSeconds(60));
            await world.SweepAsync();
            Assert.Equal(Many, await world.Database.SetLengthAsync(RedisKeys.PresenceOnline));
            await replica.RenewAsync();
            await world.AdvanceAsync(8, replica);
            Assert.Equal(0, await world.Database.SetLengthAsync(RedisKeys.PresenceOnline));
            // The node dies, and another hears of it by the lease.
            await replica.UsersAsync(crowd);
            await world.AdvanceAsync(30);
            Assert.Equal(0, await world.Database.SetLengthAsync(RedisKeys.PresenceOnline));
        });
    }

    [Fact]
    public async Task No_typing_holds_Redis_up_in_however_many_rooms()
    {
        await HoldsNobodyUpAsync(async () =>
        {
            await using var world = await PresenceWorld.StartAsync(server);
            string[] rooms = [.. Enumerable.Range(0, 100).Select(i => $"room{i}")];
            (string User, int Connections)[] crowd = [.. Enumerable.Range(0, 40).Select(i => ($"user{i}", 1))];
            foreach (var (user, _) in crowd)
            {
                await JoinedAsync(world, user, rooms);
            }

            var replica = new FakeReplica(world, "one");
            await replica.FullAsync(crowd);
            for (var i = 0; i < 4; i++)
            {
                var active = i % 2 == 0;
                await replica.TypingAsync([.. rooms.SelectMany(room => crowd.Select(user => new TypingNotice(user.User, room, null, active)))]);
                await world.AdvanceAsync(1, replica);
            }
        });
    }

    [Fact]
    public async Task Who_comes_back_while_being_taken_out_of_many_rooms_is_in_all_of_them_again()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        string[] rooms = [.. Enumerable.Range(0, 600).Select(i => $"room{i}")];
        await JoinedAsync(world, "alice", rooms);
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync();
        await replica.UsersAsync(("alice", 1));
        await replica.UsersAsync(("alice", 0));
        world.Time.Advance(TimeSpan.FromSeconds(6));
        // The service that takes the user out of the rooms is interrupted after the first of them.
        var reply = (long[])(await world.State.RunAsync(PresenceScripts.Offline, world.Now, [100, "alice"], CancellationToken.None))!;
        Assert.Equal((1L, 1L), (reply[0], reply[1]));
        Assert.Equal(500, await world.Database.SetLengthAsync(RedisKeys.PresenceIn("alice")));
        Assert.False(await world.IsOnlineAsync("alice"));

        await replica.UsersAsync(("alice", 1));
        await world.AdvanceAsync(10, replica);

        Assert.Equal(600, await world.Database.SetLengthAsync(RedisKeys.PresenceIn("alice")));
        Assert.Equal(["alice"], await world.OnlineInAsync("room599"));
        Assert.True(await world.IsOnlineAsync("alice"));
    }

    [Fact]
    public async Task A_user_in_more_rooms_than_one_call_takes_is_put_into_none_that_they_left_meanwhile()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        string[] rooms = [.. Enumerable.Range(0, 600).Select(i => $"room{i}")];
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync();
        await replica.UsersAsync(("alice", 1));
        await world.Database.SortedSetAddAsync(RedisKeys.PresenceArrivals, "alice", world.Now);
        await world.State.RunAsync(
            PresenceScripts.Place, world.Now, ["alice", world.Now, "0", 2, "room1", "room2"], CancellationToken.None);
        await JoinedAsync(world, "alice", [.. rooms.Where(room => room != "room500")]);
        await replica.RoomsAsync(("room500", "alice", false));

        // The rest of what was read before the leave.
        Assert.Equal(0, (long)await world.State.RunAsync(
            PresenceScripts.Place, world.Now, ["alice", world.Now, "1", 1, "room500"], CancellationToken.None));

        Assert.Empty(await world.OnlineInAsync("room500"));
        await world.AdvanceAsync(2, replica);
        Assert.Equal(["alice"], await world.OnlineInAsync("room599"));
        Assert.Empty(await world.OnlineInAsync("room500"));
    }

    [Fact]
    public async Task On_a_full_Redis_nobody_comes_but_users_still_go_offline()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await using var admin = await server.ConnectAsync();
        await JoinedAsync(world, "alice", "lobby");
        var replica = new FakeReplica(world, "one");
        await replica.FullAsync(("alice", 1));
        Assert.Equal(["alice"], await world.OnlineInAsync("lobby"));
        await admin.GetServers()[0].ConfigSetAsync("maxmemory", "1");
        try
        {
            var refused = await Assert.ThrowsAsync<RedisServerException>(() => replica.UsersAsync(("bob", 1)));
            Assert.True(RedisFaults.IsFull(refused));
            await world.AdvanceAsync(30);
            Assert.False(await world.IsOnlineAsync("alice"));
            Assert.Empty(await world.OnlineInAsync("lobby"));
        }
        finally
        {
            await admin.GetServers()[0].ConfigSetAsync("maxmemory", "0");
        }

        await replica.FullAsync(("bob", 1));
        Assert.True(await world.IsOnlineAsync("bob"));
    }

    private async Task HoldsNobodyUpAsync(Func<Task> attack)
    {
        await using var commands = await ScriptCommands.WatchAsync(server);
        Assert.InRange(await commands.MostAsync(attack), 100, MostCommands);
    }

    private static async Task JoinedAsync(PresenceWorld world, string user, params string[] rooms)
    {
        foreach (var part in rooms.Chunk(1_000))
        {
            await world.Database.SetAddAsync(RedisKeys.UserRooms(user), [.. part.Select(room => (RedisValue)room)]);
        }
    }
}
