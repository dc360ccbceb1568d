using AspireChat.Contracts.Presence;
using AspireChat.Contracts.Redis;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class TypingTests(RedisServer server)
{
    private static readonly string Lobby = RedisChannels.Room("lobby");

    [Fact]
    public async Task Typing_in_a_room_is_told_once_to_everybody_else_and_cleared_three_seconds_after_the_last_renewal()
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
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, false));
        await replica.TypingAsync(new TypingNotice("alice", "lobby", null, false));
        await world.AdvanceAsync(5, replica);

        Assert.Equal(["typing lobby alice true", "typing lobby alice false"], await world.HeardInRoomsAsync());
    }

    [Fact]
    public async Task Typing_in_a_room_one_is_not_online_in_is_ignored()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = await InLobbyAsync(world, "alice");
        await replica.UsersAsync(("eve", 1));

        await replica.TypingAsync(new TypingNotice("eve", "lobby", null, true), new TypingNotice("ghost", null, "alice", true));
        await world.AdvanceAsync(4, replica);

        Assert.Empty(await world.HeardAsync());
    }

    [Fact]
    public async Task Typing_to_a_user_is_told_to_that_user_alone_who_sees_the_typist_as_the_other()
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
    public async Task Typing_ends_also_when_the_typists_replica_dies()
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
        await world.SweepAsync();

        Assert.Equal(["offline lobby alice 0", "typing lobby alice false"], (await world.HeardInRoomsAsync()).Order());
    }

    [Fact]
    public async Task A_thousand_typists_do_not_become_a_thousand_frames()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var users = Enumerable.Range(0, 1_000).Select(i => $"u{i}").ToArray();
        var replica = await InLobbyAsync(world, users);

        foreach (var part in users.Chunk(100))
            await replica.TypingAsync([.. part.Select(user => new TypingNotice(user, "lobby", null, true))]);
        Assert.Equal(20, (await world.HeardAsync()).Count);
        await world.AdvanceAsync(4, replica);
        Assert.Equal(20, (await world.HeardAsync()).Count);

        // Whoever still types then is told as soon as there is room.
        await replica.TypingAsync(new TypingNotice("u999", "lobby", null, true));
        Assert.Equal(["typing lobby u999 true"], await world.HeardInRoomsAsync());
    }

    private static async Task<FakeReplica> InLobbyAsync(PresenceWorld world, params string[] users)
    {
        var replica = new FakeReplica(world, "one");
        await replica.SendAsync(full: true, [.. users.Select(user => (user, 1))], [.. users.Select(user => ("lobby", user, true))]);
        await world.AdvanceAsync(3, replica);
        await world.HeardAsync();
        return replica;
    }

    /// <summary>Without the type, wherever it stands in the object.</summary>
    private static IEnumerable<string> Typeless(IEnumerable<string> frames) =>
        frames.Select(frame => frame.Replace("\"type\":\"typing\",", "").Replace(",\"type\":\"typing\"", ""));
}
