using System.Text;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Presence;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class TypingTests(RedisServer server)
{
    private static readonly string Lobby = RedisChannels.Room("lobby");

    [Fact]
    public async Task Typing_in_a_room_is_told_once_to_all_others_and_cleared_three_seconds_after_the_last_renewal()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice", "bob");

        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true));
        Assert.Equal(["""not for alice: {"from":"alice","room":"lobby","active":true}"""], Typeless(await world.HeardAsync(Lobby)));
        var typing = await world.Database.SortedSetRangeByScoreAsync(RedisKeys.RoomTyping("lobby"), start: world.Now);
        Assert.Equal("alice", Assert.Single(typing));

        await world.AdvanceAsync(2, replica);
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true));
        await world.AdvanceAsync(2.75, replica);
        Assert.Empty(await world.HeardAsync());

        await world.AdvanceAsync(0.25, replica);
        Assert.Equal(["""not for alice: {"from":"alice","room":"lobby","active":false}"""], Typeless(await world.HeardAsync(Lobby)));
        Assert.Equal(0, await world.Database.SortedSetLengthAsync(RedisKeys.RoomTyping("lobby")));
    }

    [Fact]
    public async Task Typing_that_is_stopped_is_cleared_at_once_and_only_once()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice");
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true));
        await world.AdvanceAsync(1, replica);
        Assert.Equal(["typing lobby alice true"], await world.HeardInRoomsAsync());

        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, false));
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, false));
        Assert.Equal(["typing lobby alice false"], await world.HeardInRoomsAsync());
        await world.AdvanceAsync(5, replica);
        Assert.Empty(await world.HeardAsync());
    }

    [Theory]
    [InlineData("lobby", null)]
    [InlineData(null, "bob")]
    public async Task A_conversation_hears_at_most_every_half_second_who_types_and_nothing_of_changes_that_were_undone_meanwhile(string? room, string? to)
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice", "bob");
        await replica.TypingAsync(new TypingNotice("alice", room, to, true));
        Assert.EndsWith("alice true", Assert.Single(await world.HeardInRoomsAsync()), StringComparison.OrdinalIgnoreCase);

        await replica.TypingAsync(new TypingNotice("alice", room, to, false));
        await replica.TypingAsync(new TypingNotice("alice", room, to, true));
        await world.AdvanceAsync(0.75, replica);
        Assert.Empty(await world.HeardAsync());

        await replica.TypingAsync(new TypingNotice("alice", room, to, false));
        Assert.EndsWith("alice false", Assert.Single(await world.HeardInRoomsAsync()), StringComparison.OrdinalIgnoreCase);
        await replica.TypingAsync(new TypingNotice("alice", room, to, true));
        await world.AdvanceAsync(0.25, replica);
        Assert.Empty(await world.HeardAsync());
        await world.AdvanceAsync(0.25, replica);
        Assert.EndsWith("alice true", Assert.Single(await world.HeardInRoomsAsync()), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_scripts_typing_frames_are_byte_by_byte_those_of_the_codec()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "al-ice", "b.ob");
        await replica.TypingAsync(new TypingNotice("al-ice", "lobby", null, true), new TypingNotice("b.ob", null, "al-ice", true));

        var heard = await world.HeardAsync();
        foreach (var (channel, except, frame) in new[]
        {
            (Lobby, "not for al-ice: ", new TypingFrame("al-ice", "lobby", null, true)),
            (RedisChannels.User("al-ice"), "", new TypingFrame("b.ob", null, "b.ob", true)),
        })
        {
            var text = Assert.Single(heard, told => told.Channel == channel).Text;
            Assert.Equal(except + Encoding.UTF8.GetString(ServerFrameCodec.Encode(frame)), text);
        }
    }

    [Fact]
    public async Task Typing_in_a_room_where_the_user_is_not_online_is_ignored()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice");
        await replica.UsersAsync(("eve", 1));

        await replica.TypingAsync(new TypingNotice("eve", "lobby", null, true), new TypingNotice("ghost", null, "alice", true));
        await world.AdvanceAsync(4, replica);

        Assert.Empty(await world.HeardAsync());
    }

    [Fact]
    public async Task Typing_to_a_user_is_told_only_to_that_user_and_names_the_typist()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice", "bob");

        await replica.TypingAsync(new TypingNotice("alice", null, "bob", true));
        var heard = Assert.Single(await world.HeardAsync());
        Assert.Equal(RedisChannels.User("bob"), heard.Channel);
        Assert.Equal(["""{"from":"alice","to":"alice","active":true}"""], Typeless([heard.Text]));

        await world.AdvanceAsync(2, replica);
        await replica.TypingAsync(new TypingNotice("alice", null, "bob", true));
        await world.AdvanceAsync(3, replica);
        var ended = (await world.HeardAsync()).Select(frame => frame.Text);
        Assert.Equal(["""{"from":"alice","to":"alice","active":false}"""], Typeless(ended));
    }

    [Fact]
    public async Task Typing_to_oneself_is_told_to_nobody()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice");
        await replica.TypingAsync(new TypingNotice("alice", null, "alice", true));
        await world.AdvanceAsync(4, replica);
        Assert.Empty(await world.HeardAsync());
    }

    [Fact]
    public async Task Typing_ends_when_the_typists_replica_dies()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice");
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true));
        await world.HeardAsync();

        await world.AdvanceAsync(3);

        Assert.Equal(["typing lobby alice false"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task Leaving_a_room_ends_typing_in_it()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice");
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true));
        await world.HeardAsync();

        await replica.RoomsAsync(("lobby", "alice", false));
        await world.AdvanceAsync(0.5, replica);

        Assert.Equal(["offline lobby alice 0", "typing lobby alice false"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task A_thousand_typists_do_not_become_a_thousand_frames()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var users = Enumerable.Range(0, 1_000).Select(i => $"u{i}").ToArray();
        var replica = await InLobbyAsync(world, users);

        foreach (var part in users.Chunk(100))
        {
            await replica.TypingAsync([.. part.Select(user => new TypingNotice(user, "lobby", null, true))]);
        }

        Assert.Equal(20, (await world.HeardAsync()).Count);
        await world.AdvanceAsync(4, replica);
        Assert.Equal(20, (await world.HeardAsync()).Count);

        // Users who still type then are told as soon as there is space.
        await replica.TypingAsync(new TypingNotice("u999", "lobby", null, true));
        await world.AdvanceAsync(0.5, replica);
        Assert.Equal(["typing lobby u999 true"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task However_fast_a_thousand_users_start_and_stop_a_room_hears_twenty_frames_in_half_a_second_and_ends_with_the_truth()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var users = Enumerable.Range(0, 1_000).Select(i => $"u{i}").ToArray();
        var replica = await InLobbyAsync(world, users);
        var random = new Random(1);
        var believed = new HashSet<string>();
        var told = new List<long>();
        for (var i = 0; i < 100; i++)
        {
            world.Time.Advance(TimeSpan.FromMilliseconds(50));
            await replica.TypingAsync(
                [.. Enumerable.Range(0, 100).Select(_ => new TypingNotice(users[random.Next(1_000)], "lobby", null, random.Next(2) == 0))]);
            await world.SweepAsync();
            await HearAsync();
        }
        Assert.NotEmpty(believed);
        for (var i = 0; i < 20; i++)
        {
            await world.AdvanceAsync(0.25, replica);
            await HearAsync();
        }

        Assert.Empty(believed);
        var tellings = told.Distinct().ToArray();
        Assert.All(tellings.Zip(tellings.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 500, $"{pair.Second - pair.First} ms"));
        Assert.All(tellings, telling => Assert.InRange(told.Count(time => time == telling), 1, 20));

        async Task HearAsync()
        {
            foreach (var frame in (await world.HeardInRoomsAsync()).Select(frame => frame.Split(' ')))
            {
                var isNews = frame[3] == "true" ? believed.Add(frame[2]) : believed.Remove(frame[2]);
                Assert.True(isNews, $"{frame[2]} {frame[3]} was told twice");
                told.Add(world.Now);
            }
        }
    }

    [Fact]
    public async Task The_end_of_typing_that_came_while_no_service_ran_is_told_when_a_service_is_back()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice", "bob");
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, true), new TypingNotice("alice", null, "bob", true));
        await world.HeardAsync();

        world.Time.Advance(TimeSpan.FromMinutes(1));
        await world.CreateService().Sweep.RunAsync(CancellationToken.None);

        Assert.Equal(["typing @alice alice false", "typing lobby alice false"], (await world.HeardInRoomsAsync()).Order());
    }

    private static async Task<FakeReplica> InLobbyAsync(PresenceWorld world, params string[] users)
    {
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [.. users.Select(user => (user, 1))], [.. users.Select(user => ("lobby", user, true))]);
        await world.AdvanceAsync(3, replica);
        await world.HeardAsync();
        return replica;
    }

    /// <summary>The frame without its type, wherever that stands in the object.</summary>
    private static IEnumerable<string> Typeless(IEnumerable<string> frames) =>
        frames.Select(frame => frame.Replace("\"type\":\"typing\",", "").Replace(",\"type\":\"typing\"", ""));
}
