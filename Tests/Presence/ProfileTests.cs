using System.Text.Json.Nodes;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Presence;
using AspireChat.RedisLog;
using AspireChat.Tests.Servers;

namespace AspireChat.Tests.Presence;

/// <summary>Users of any id in the presence scripts, and how they are shown.</summary>
[Collection(PresenceCollection.Name)]
[Trait("Needs", "Redis")]
public sealed class ProfileTests(RedisServer server)
{
    private const string Urn = "urn:x:y~1=2";
    private const string Mail = "a.b+c@example.com";

    [Fact]
    public async Task Online_frames_carry_the_profiles_of_those_who_have_one_byte_for_byte_as_the_codec_writes_them()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        await ShowAsync(world, Urn, new UserProfile("Ürn \"1\" \\ 😀", "https://example.com/u.png"));
        await world.MemberAsync(Urn, "lobby");
        await world.MemberAsync(Mail, "lobby");
        var replica = new FakeReplica(world, "one");

        await replica.FullAsync((Urn, 1), (Mail, 1));
        await world.SweepAsync();

        var text = Assert.Single(await world.HeardAsync(RedisChannels.Room("lobby")));
        var expected = new OnlineFrame("lobby", [Mail, Urn], 2)
        {
            Profiles = new Dictionary<string, RawJson> { [Urn] = new(ProfileJson.Encode(new UserProfile("Ürn \"1\" \\ 😀", "https://example.com/u.png"))) },
        };
        Assert.Equal(System.Text.Encoding.UTF8.GetString(ServerFrameCodec.Encode(expected)), text);
        Assert.Equal("Ürn \"1\" \\ 😀", (string?)JsonNode.Parse(text)!["profiles"]![Urn]!["name"]);
    }

    [Fact]
    public async Task A_profile_is_kept_while_its_user_is_online_and_read_again_with_each_report_on_them()
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await ShowAsync(world, Urn, new UserProfile("One", null));
        await replica.FullAsync((Urn, 1));
        Assert.Equal("{\"name\":\"One\"}", await world.Database.HashGetAsync(RedisKeys.PresenceProfiles, Urn));

        await ShowAsync(world, Urn, new UserProfile("Two", null));
        await replica.UsersAsync((Urn, 1));
        Assert.Equal("{\"name\":\"Two\"}", await world.Database.HashGetAsync(RedisKeys.PresenceProfiles, Urn));

        await replica.UsersAsync((Urn, 0));
        await world.AdvanceAsync(6, replica);
        Assert.False(await world.Database.HashExistsAsync(RedisKeys.PresenceProfiles, Urn));
    }

    [Theory]
    [InlineData(":", ":+")]
    [InlineData(":count", ":all")]
    [InlineData(Urn, Mail)]
    [InlineData("auth0|64f0c2", "urn:x:auth0|64f0c2")]
    public async Task Users_of_wide_ids_come_go_and_type(string one, string other)
    {
        await using var world = await PresenceWorld.StartAsync(server);
        var replica = new FakeReplica(world, "one");
        await world.MemberAsync(one, "lobby");
        await world.MemberAsync(other, "lobby");
        await replica.FullAsync((one, 1));
        await world.SweepAsync();
        Assert.Equal([$"online lobby {one} 1"], await world.HeardInRoomsAsync());
        await world.AdvanceAsync(2, replica);
        await replica.UsersAsync((other, 1));
        await world.SweepAsync();
        Assert.Equal([$"online lobby {other} 2"], await world.HeardInRoomsAsync());

        await replica.TypingAsync(new TypingNotice(one, "lobby", null, true), new TypingNotice(one, null, other, true));
        Assert.Equal([$"typing lobby {one} true", $"typing @{one} {one} true"], await HeardInOrderAsync(world));
        await world.AdvanceAsync(4, replica);
        Assert.Equal([$"typing lobby {one} false", $"typing @{one} {one} false"], await HeardInOrderAsync(world));

        await replica.UsersAsync((other, 0));
        await world.AdvanceAsync(6, replica);
        Assert.Equal([$"offline lobby {other} 1"], await world.HeardInRoomsAsync());
        Assert.Equal([one], await world.OnlineInAsync("lobby"));
    }

    private static async Task<IEnumerable<string>> HeardInOrderAsync(PresenceWorld world) =>
        (await world.HeardInRoomsAsync()).OrderBy(frame => frame.StartsWith("typing @", StringComparison.Ordinal) ? 1 : 0);

    private static Task ShowAsync(PresenceWorld world, string user, UserProfile profile) => world.Database.HashSetAsync(
        RedisKeys.Users(ConversationKey.Own(user).Partition), user, StoredProfiles.Field(1, ProfileJson.Encode(profile)));
}
