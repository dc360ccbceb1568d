using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Log;

/// <summary>What one user, or what is done to one message, may take of the log for good.</summary>
[Trait("Needs", "Redis")]
public sealed class QuotaTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private readonly string _user = $"alice-{Guid.NewGuid():N}";
    private int _nonce;

    [Fact]
    public async Task A_user_is_a_member_of_so_many_rooms_and_a_further_one_only_after_leaving_one()
    {
        await using var running = await fixture.StartLogAsync(new() { RoomsPerUser = 3 });
        var rooms = NewRooms(5);
        var joins = await Task.WhenAll(rooms.Select(room => JoinAsync(running, room)));
        var joined = rooms.Where((_, i) => joins[i] == JoinRefusal.None).ToList();

        Assert.Equal(3, joined.Count);
        Assert.Equal(2, joins.Count(refusal => refusal == JoinRefusal.TooManyRooms));
        Assert.All(rooms.Except(joined), room => Assert.False(IsMember(room)));
        Assert.All(joined, room => Assert.Equal(JoinRefusal.None, JoinAsync(running, room).Result));
        await running.Log.LeaveAsync(joined[0], _user, CancellationToken.None);
        Assert.Equal(JoinRefusal.None, await JoinAsync(running, rooms.Except(joined).First()));
        Assert.Equal(JoinRefusal.TooManyRooms, await JoinAsync(running, joined[0]));
    }

    [Fact]
    public async Task A_user_creates_so_many_rooms_in_an_hour_even_if_each_is_left_at_once()
    {
        await using var running = await fixture.StartLogAsync(new() { RoomsCreatedPerHour = 3 });
        var rooms = NewRooms(5);
        foreach (var room in rooms.Take(3))
        {
            Assert.Equal(JoinRefusal.None, await JoinAsync(running, room));
            await running.Log.LeaveAsync(room, _user, CancellationToken.None);
        }

        Assert.Equal(JoinRefusal.TooManyCreated, await JoinAsync(running, rooms[3]));
        // What others made is open to everybody.
        await running.Log.JoinAsync(rooms[4], "bob", CancellationToken.None);
        Assert.Equal(JoinRefusal.None, await JoinAsync(running, rooms[4]));
        Assert.InRange((await fixture.Database.KeyTimeToLiveAsync(RedisKeys.UserCreations(_user)))!.Value.TotalMinutes, 50, 60);
    }

    [Fact]
    public async Task A_room_takes_so_many_members_and_a_further_one_only_after_one_has_left()
    {
        await using var running = await fixture.StartLogAsync(new() { MembersPerRoom = 3 });
        var room = NewRooms(1)[0];
        string[] users = [.. Enumerable.Range(0, 5).Select(i => $"{_user}-{i}")];
        var joins = await Task.WhenAll(users.Select(user => JoinAsync(running, room, user)));
        var joined = users.Where((_, i) => joins[i] == JoinRefusal.None).ToList();
        var refused = users.Except(joined).ToList();

        Assert.Equal(3, joined.Count);
        Assert.Equal(2, joins.Count(refusal => refusal == JoinRefusal.RoomIsFull));
        Assert.Equal(JoinRefusal.RoomIsFull, await JoinAsync(running, room, refused[0]));
        // Neither the user's own bound nor the index counts what was refused.
        Assert.Equal(0, await fixture.Database.KeyExistsAsync([.. refused.SelectMany(user =>
            (StackExchange.Redis.RedisKey[])[RedisKeys.UserRooms(user), RedisKeys.UserJoins(user)])]));
        Assert.Equal(JoinRefusal.None, await JoinAsync(running, room, joined[0]));
        // Not the owner, who stays while others are there.
        var leaver = joined.First(user => !running.Log.LeaveAsync(room, user, CancellationToken.None).Result.IsLastOwner);
        Assert.Equal(JoinRefusal.None, await JoinAsync(running, room, refused[0]));
        Assert.Equal(JoinRefusal.RoomIsFull, await JoinAsync(running, room, leaver));
    }

    [Fact]
    public async Task A_user_begins_so_many_direct_conversations_in_an_hour_on_all_nodes_together_and_answers_any_number()
    {
        var options = new ConversationLogOptions { DirectsBegunPerHour = 3 };
        await using var running = await fixture.StartLogAsync(options);
        UserQuotas[] nodes = [fixture.Quotas(running, options), fixture.Quotas(running, options)];
        var other = $"bob-{Guid.NewGuid():N}";
        await running.AppendAsync(LogFixture.Message(ConversationKey.Direct(_user, other), other, "n"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(TimeSpan.Zero, await BeginAsync(nodes[i % 2], $"{other}-{i}"));
            await running.AppendAsync(LogFixture.Message(ConversationKey.Direct(_user, $"{other}-{i}"), _user, $"n{i}"));
        }

        Assert.All(nodes, node => Assert.InRange(BeginAsync(node, $"{other}-new").Result.TotalMinutes, 50, 60));
        Assert.Equal(TimeSpan.Zero, await BeginAsync(nodes[0], other));
        Assert.Equal(TimeSpan.Zero, await BeginAsync(nodes[1], $"{other}-2"));

        Task<TimeSpan> BeginAsync(UserQuotas node, string to) =>
            node.BeginDirectAsync(ConversationKey.Direct(_user, to), _user, CancellationToken.None);
    }

    [Fact]
    public async Task A_user_writes_so_many_bytes_in_a_day_on_all_nodes_together()
    {
        var options = new ConversationLogOptions { BytesPerDay = 10_000 };
        await using var running = await fixture.StartLogAsync(options);
        UserQuotas[] nodes = [fixture.Quotas(running, options), fixture.Quotas(running, options)];

        Assert.Equal(TimeSpan.Zero, await nodes[0].SpendBytesAsync(_user, 6_000, CancellationToken.None));
        Assert.Equal(TimeSpan.Zero, await nodes[1].SpendBytesAsync(_user, 6_000, CancellationToken.None));
        Assert.All(nodes, node => Assert.InRange(node.SpendBytesAsync(_user, 1, CancellationToken.None).Result.TotalHours, 23, 24));
        Assert.Equal(TimeSpan.Zero, await nodes[0].SpendBytesAsync($"{_user}-2", 1, CancellationToken.None));
        // The period begins with the first byte, and does not begin again with others.
        await fixture.Database.KeyExpireAsync(RedisKeys.UserBytes(_user), TimeSpan.FromMinutes(1));
        Assert.InRange((await nodes[0].SpendBytesAsync(_user, 1, CancellationToken.None)).TotalSeconds, 1, 60);
    }

    [Fact]
    public async Task A_room_that_everybody_left_and_nobody_wrote_to_is_forgotten()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRooms(1)[0];
        await JoinAsync(running, room);
        await running.Log.LeaveAsync(room, _user, CancellationToken.None);

        var key = ConversationKey.Room(room);
        Assert.Equal(0, await fixture.Database.KeyExistsAsync(
            [RedisKeys.Members(key), RedisKeys.Conversation(key), RedisKeys.Tail(key), RedisKeys.Revisions(key), RedisKeys.UserRooms(_user)]));
    }

    [Fact]
    public async Task Members_of_a_room_larger_than_one_call_are_found_out_in_several()
    {
        await using var running = await fixture.StartLogAsync();
        var room = NewRooms(1)[0];
        string[] users = [.. Enumerable.Range(0, 9_000).Select(i => $"user{i}")];
        await fixture.Database.HashSetAsync(
            RedisKeys.Members(ConversationKey.Room(room)),
            [.. users.Where(user => user != "user4711").Select(user => new StackExchange.Redis.HashEntry(user, 0))]);

        var strangers = await running.Log.ReadStrangersAsync([new RoomUsers(room, users)], CancellationToken.None);

        Assert.Equal(["user4711"], strangers.SelectMany(part => part.Users));
    }

    [Fact]
    public async Task A_message_takes_so_many_edits_and_can_be_deleted_all_the_same()
    {
        await using var running = await fixture.StartLogAsync(new() { EditsPerMessage = 3 });
        var room = ConversationKey.Room(NewRooms(1)[0]);
        await running.AppendAsync(LogFixture.Message(room, _user, "first"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.Edit, content: "secret"));
        }

        Assert.Equal(AppendStatus.TooManyRevisions, await ReviseAsync(running, room, EventKind.Edit, content: "secret"));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.Delete));
        var tail = await running.Log.ReadTailAsync(room, 0, 10, CancellationToken.None);
        Assert.Equal(5, tail.Events.Count);
        Assert.DoesNotContain(tail.Events, e => e.Content == "secret");
    }

    [Fact]
    public async Task A_list_of_edits_from_before_the_bound_takes_no_more_and_is_redacted_as_a_whole()
    {
        await using var running = await fixture.StartLogAsync(new() { EditsPerMessage = 5_000 });
        var room = ConversationKey.Room(NewRooms(1)[0]);
        await running.AppendAsync(LogFixture.Message(room, _user, "first"));
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => ReviseAsync(running, room, EventKind.Edit, content: "secret")));
        // A million edits before those, all of them out of the tail.
        var edits = (string)(await fixture.Database.HashGetAsync(RedisKeys.Revisions(room), "edits:1"))!;
        var before = string.Join(' ', Enumerable.Repeat("1", 1_000_000));
        await fixture.Database.HashSetAsync(RedisKeys.Revisions(room), "edits:1", $"{before} {edits}");

        await using var bounded = await fixture.StartLogAsync();
        Assert.Equal(AppendStatus.TooManyRevisions, await ReviseAsync(bounded, room, EventKind.Edit, content: "secret"));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(bounded, room, EventKind.Delete));
        var tail = await running.Log.ReadTailAsync(room, 0, 1_000, CancellationToken.None);
        Assert.Equal(502, tail.Events.Count);
        Assert.DoesNotContain(tail.Events, e => e.Content == "secret");
    }

    [Fact]
    public async Task A_message_takes_so_many_different_emojis_and_any_number_of_users_with_each()
    {
        await using var running = await fixture.StartLogAsync(new() { EmojisPerMessage = 3 });
        var room = ConversationKey.Room(NewRooms(1)[0]);
        await running.AppendAsync(LogFixture.Message(room, _user, "first"));
        foreach (var emoji in (string[])["👍", "a b", "\n"])
        {
            Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.React, emoji: emoji));
        }

        Assert.Equal(AppendStatus.TooManyEmojis, await ReviseAsync(running, room, EventKind.React, emoji: "🚀"));
        Assert.Equal(AppendStatus.TooManyEmojis, await ReviseAsync(running, room, EventKind.React, emoji: "b"));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.React, emoji: "a b", from: "bob"));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.React, emoji: "👍", remove: true));
    }

    [Fact]
    public async Task One_user_changes_their_reactions_to_a_message_so_often_and_others_still_may()
    {
        await using var running = await fixture.StartLogAsync(new() { ReactionChangesPerMessage = 4 });
        var room = ConversationKey.Room(NewRooms(1)[0]);
        await running.AppendAsync(LogFixture.Message(room, _user, "first"));
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.React, emoji: "👍", remove: i % 2 == 1));
        }

        Assert.Equal(AppendStatus.TooManyRevisions, await ReviseAsync(running, room, EventKind.React, emoji: "👍"));
        Assert.Equal(AppendStatus.Accepted, await ReviseAsync(running, room, EventKind.React, emoji: "👍", from: "bob"));
    }

    [Fact]
    public async Task What_is_known_of_revised_messages_stays_about_as_large_as_the_tail()
    {
        await using var running = await fixture.StartLogAsync(new() { TailKeep = 100 });
        var room = ConversationKey.Room(NewRooms(1)[0]);
        for (var i = 0; i < 2_000; i += 2)
        {
            await running.AppendAsync(LogFixture.Message(room, _user, $"m{i}"));
            await ReviseAsync(running, room, EventKind.Edit, content: "x", target: i + 1);
            await fixture.Database.HashSetAsync(RedisKeys.Conversation(room), ConversationFields.Durable, i + 2);
        }

        Assert.InRange(await fixture.Database.HashLengthAsync(RedisKeys.Revisions(room)), 50, 150);
    }

    private Task<AppendStatus> ReviseAsync(
        RunningLog running, ConversationKey room, EventKind kind, string? content = null, string? emoji = null, string? from = null,
        bool remove = false, long target = 1) => StatusOf(running.AppendAsync(
            LogFixture.Message(room, from ?? _user, $"revision-{Interlocked.Increment(ref _nonce)}") with
            {
                Kind = kind, Target = target, Content = content, Emoji = emoji, Remove = remove,
            }));

    private static async Task<AppendStatus> StatusOf(Task<AppendResult> append) => (await append).Status;

    private async Task<JoinRefusal> JoinAsync(RunningLog running, string room, string? user = null) =>
        (await running.Log.JoinAsync(room, user ?? _user, CancellationToken.None)).Refusal;

    private bool IsMember(string room) => fixture.Database.HashExists(RedisKeys.Members(ConversationKey.Room(room)), _user);

    private static string[] NewRooms(int count) => [.. Enumerable.Range(0, count).Select(_ => $"room-{Guid.NewGuid():N}")];
}
