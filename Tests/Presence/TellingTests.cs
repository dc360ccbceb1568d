using System.Text;
using AspireChat.Contracts.Frames;
using AspireChat.PresenceService;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

/// <summary>
/// What a room hears of its members' presence: the frames themselves, how often they come, and when counts replace names.
/// </summary>
[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class TellingTests(RedisServer server)
{
    [Fact]
    public async Task The_scripts_presence_frames_are_byte_by_byte_those_of_the_codec()
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
    public async Task A_room_whose_members_missed_frames_is_told_once_and_in_its_turn_who_is_online()
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
    public async Task A_leave_is_told_at_once_even_right_after_an_online_and_does_not_hurry_the_next_online()
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
    public async Task A_user_who_comes_and_goes_between_two_frames_is_told_in_their_final_state_because_snapshots_may_have_either()
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
    public async Task A_large_room_hears_only_counts_and_at_most_one_in_two_seconds()
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
        // Users join for 10 s. The room hears the names of the first 200, and then counts.
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
}
