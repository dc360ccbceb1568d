using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.Contracts.Rooms;
using AspireChat.RedisLog;
using StackExchange.Redis;

namespace AspireChat.Tests.Log;

[Trait("Needs", "Redis")]
public sealed class MembershipTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    [Fact]
    public async Task A_new_member_starts_at_the_head_and_joining_again_changes_nothing()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();
        await running.AppendAsync(LogFixture.Message(room, "alice", "n1"));
        await running.AppendAsync(LogFixture.Message(room, "alice", "n2"));

        var first = await running.Log.JoinAsync(room.RoomId, "bob", CancellationToken.None);
        await running.AppendAsync(LogFixture.Message(room, "alice", "n3"));
        var again = await running.Log.JoinAsync(room.RoomId, "bob", CancellationToken.None);

        Assert.Equal(new JoinResult(LogFixture.Epoch, 2, 2, NewMember: true, first.At) { Role = RoomRole.Owner, Settings = first.Settings }, first);
        Assert.Equal(new JoinResult(LogFixture.Epoch, 3, 2, NewMember: false, again.At) { Role = RoomRole.Owner, Settings = again.Settings }, again);
        Assert.True(0 < first.At && first.At < again.At);
        Assert.Equal(["join bob 2"], await MembershipEntriesAsync(room));
    }

    [Fact]
    public async Task Leaving_ends_the_membership_once_and_tells_the_users_replicas()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();
        var user = $"bob-{Guid.NewGuid():N}";
        var channel = await fixture.Redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal(RedisChannels.User(user)));
        await running.Log.JoinAsync(room.RoomId, user, CancellationToken.None);

        var left = await running.Log.LeaveAsync(room.RoomId, user, CancellationToken.None);
        Assert.True(left.WasMember);
        Assert.False((await running.Log.LeaveAsync(room.RoomId, user, CancellationToken.None)).WasMember);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Assert.Equal(new PubSubMessage.Left(room.RoomId, left.At).Encode(), (byte[])(await channel.ReadAsync(patience.Token)).Message!);
        Assert.False(await fixture.Database.HashExistsAsync(RedisKeys.Members(room), user));
        Assert.Equal([$"join {user} 0", $"leave {user} 0"], await MembershipEntriesAsync(room));
    }

    [Fact]
    public async Task One_call_finds_for_many_rooms_whether_a_user_is_a_member()
    {
        await using var running = await fixture.StartLogAsync();
        var (one, other) = (NewRoom(), NewRoom());
        var joined = await running.Log.JoinAsync(one.RoomId, "alice", CancellationToken.None);
        await running.Log.JoinAsync(other.RoomId, "bob", CancellationToken.None);

        var strangers = await running.Log.ReadStrangersAsync(
            [new(one.RoomId, ["alice", "bob"]), new(other.RoomId, ["alice", "bob"])], CancellationToken.None);

        Assert.Equal([(one.RoomId, "bob"), (other.RoomId, "alice")], strangers.Select(room => (room.Room, room.Users.Single())));
        Assert.All(strangers, room => Assert.True(room.Epoch == LogFixture.Epoch && room.At > joined.At));
    }

    [Theory]
    [InlineData(2, 2, true)]
    [InlineData(99, 3, true)]
    [InlineData(0, 1, false)]
    [InlineData(1, 1, false)]
    public async Task A_read_cursor_only_moves_forward_and_ends_at_the_head(long asked, long expected, bool moved)
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();
        await running.AppendAsync(LogFixture.Message(room, "alice", "n1"));
        await running.Log.JoinAsync(room.RoomId, "bob", CancellationToken.None);
        await running.AppendAsync(LogFixture.Message(room, "alice", "n2"));
        await running.AppendAsync(LogFixture.Message(room, "alice", "n3"));

        var result = await running.Log.ReadAsync(room, "bob", asked, CancellationToken.None);

        Assert.Equal(new ReadResult(expected, moved), result);
    }

    [Fact]
    public async Task A_stranger_has_no_cursor_in_a_room_but_both_users_have_one_in_a_direct_conversation()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRoom();
        var direct = ConversationKey.Direct("alice", $"bob-{Guid.NewGuid():N}");
        await running.AppendAsync(LogFixture.Message(direct, "alice", "n1"));

        Assert.Equal(new ReadResult(-1, false), await running.Log.ReadAsync(room, "alice", 1, CancellationToken.None));
        Assert.Equal(new ReadResult(1, true), await running.Log.ReadAsync(direct, direct.Other("alice"), 1, CancellationToken.None));
    }

    [Fact]
    public async Task Heads_of_many_conversations_come_in_one_answer()
    {
        await using var running = await fixture.StartLogAsync();
        var rooms = Enumerable.Range(0, 40).Select(_ => NewRoom()).ToArray();
        for (var i = 0; i < 20; i++)
        {
            await running.AppendAsync(LogFixture.Message(rooms[i], "alice", "n"));
        }

        var heads = await running.Log.ReadHeadsAsync(rooms, CancellationToken.None);

        Assert.Equal(rooms.Select((_, i) => new ConversationHead(LogFixture.Epoch, i < 20 ? 1 : 0, 0)), rooms.Select(room => heads[room]));
    }

    private async Task<string[]> MembershipEntriesAsync(ConversationKey room)
    {
        var entries = await fixture.Database.StreamRangeAsync(RedisKeys.Log(room.Partition));
        return [.. entries
            .Where(entry => entry[LogFields.Conversation] == room.Value && entry[LogFields.Seq] == "0")
            .Select(entry => Assert.IsType<MembershipRecord>(LogRecordCodec.Decode((byte[])entry[LogFields.Record]!, 0, LogFixture.Epoch)))
            .Select(record => $"{(record.Joined ? "join" : "leave")} {record.User} {record.Read}")];
    }

    private static ConversationKey NewRoom() => ConversationKey.Room($"room-{Guid.NewGuid():N}");
}
