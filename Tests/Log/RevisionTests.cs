using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Log;

[Trait("Needs", "Redis")]
public sealed class RevisionTests(LogFixture fixture) : IClassFixture<LogFixture>
{
    private static int _nonce;

    [Fact]
    public async Task Only_its_author_may_edit_or_delete_a_message_but_anybody_may_react()
    {
        await using var running = await fixture.StartLogAsync();
        var room = await RoomWithMessageAsync(running);

        Assert.Equal(AppendStatus.NotAuthor, await StatusAsync(running, Edit(room, "bob", 1, "hijacked")));
        Assert.Equal(AppendStatus.NotAuthor, await StatusAsync(running, Revision(EventKind.Delete, room, "bob", 1)));
        Assert.Equal(AppendStatus.Accepted, await StatusAsync(running, Revision(EventKind.React, room, "bob", 1) with { Emoji = "👍" }));
        Assert.Equal(AppendStatus.Accepted, await StatusAsync(running, Edit(room, "alice", 1, "mended")));
        Assert.Equal(AppendStatus.Accepted, await StatusAsync(running, Revision(EventKind.Delete, room, "alice", 1)));
        var tail = await running.Log.ReadTailAsync(room, 0, 10, CancellationToken.None);
        Assert.Equal([EventKind.Room, EventKind.React, EventKind.Edit, EventKind.Delete], tail.Events.Select(e => e.Kind));
        Assert.Equal([1L, 2, 3, 4], tail.Events.Select(e => e.Seq));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(99)]
    public async Task Only_a_message_can_be_revised(long target)
    {
        await using var running = await fixture.StartLogAsync();
        var room = await RoomWithMessageAsync(running);
        await StatusAsync(running, Edit(room, "alice", 1, "an edit is no message, and it has seq 2"));

        Assert.Equal(AppendStatus.NoSuchTarget, await StatusAsync(running, Edit(room, "alice", target, "x")));
    }

    [Fact]
    public async Task Once_a_delete_is_acknowledged_the_tail_has_neither_the_content_nor_that_of_its_edits()
    {
        await using var running = await fixture.StartLogAsync();
        var room = await RoomWithMessageAsync(running, "first secret");
        await StatusAsync(running, Edit(room, "alice", 1, "second secret"));
        await StatusAsync(running, LogFixture.Message(room, "bob", "n", "harmless"));
        await StatusAsync(running, Edit(room, "alice", 1, "third secret"));

        Assert.Equal(AppendStatus.Accepted, await StatusAsync(running, Revision(EventKind.Delete, room, "alice", 1)));

        var tail = await running.Log.ReadTailAsync(room, 0, 10, CancellationToken.None);
        Assert.Equal([("", true), ("", true), ("harmless", false), ("", true), (null, false)], tail.Events.Select(e => (e.Content, e.Deleted)));
        Assert.Equal([1L, 2, 3, 4, 5], tail.Events.Select(e => e.Seq));
        var stored = await fixture.Database.StreamRangeAsync(RedisKeys.Tail(room));
        Assert.DoesNotContain(stored, entry => ((string)entry[TailFields.Record]!).Contains("secret", StringComparison.Ordinal));
        Assert.Equal(AppendStatus.NoSuchTarget, await StatusAsync(running, Edit(room, "alice", 1, "back again")));
        Assert.Equal(AppendStatus.NoSuchTarget, await StatusAsync(running, Revision(EventKind.React, room, "bob", 1) with { Emoji = "👍" }));
    }

    [Fact]
    public async Task A_replay_may_begin_at_a_deleted_message()
    {
        await using var running = await fixture.StartLogAsync();
        var room = await RoomWithMessageAsync(running);
        await StatusAsync(running, LogFixture.Message(room, "alice", "n2", "gone"));
        await StatusAsync(running, LogFixture.Message(room, "alice", "n3", "gone too"));
        await StatusAsync(running, Revision(EventKind.Delete, room, "alice", 2));
        await StatusAsync(running, Revision(EventKind.Delete, room, "alice", 3));

        var tail = await running.Log.ReadTailAsync(room, 1, 10, CancellationToken.None);

        Assert.Equal([2L, 3, 4, 5], tail.Events.Select(e => e.Seq));
        Assert.True(tail.Complete);
    }

    [Fact]
    public async Task A_message_older_than_the_tail_must_first_be_checked_in_the_database()
    {
        await using var running = await fixture.StartLogAsync();
        var room = await RoomWithMessageAsync(running);
        await fixture.Database.StreamTrimByMinIdAsync(RedisKeys.Tail(room), "2-0");
        var edit = Edit(room, "alice", 1, "late");

        Assert.Equal(AppendStatus.TargetNotInTail, await StatusAsync(running, edit));
        Assert.Equal(AppendStatus.Accepted, (await running.AppendAsync(edit, targetChecked: true)).Status);
    }

    private static async Task<ConversationKey> RoomWithMessageAsync(RunningLog running, string content = "hello")
    {
        var room = ConversationKey.Room($"room-{Guid.NewGuid():N}");
        Assert.Equal(AppendStatus.Accepted, await StatusAsync(running, LogFixture.Message(room, "alice", "first", content)));
        return room;
    }

    private static async Task<AppendStatus> StatusAsync(RunningLog running, ConversationEvent e) => (await running.AppendAsync(e)).Status;

    private static ConversationEvent Edit(ConversationKey room, string from, long target, string content) =>
        Revision(EventKind.Edit, room, from, target) with { Content = content };

    private static ConversationEvent Revision(EventKind kind, ConversationKey room, string from, long target) =>
        LogFixture.Message(room, from, $"revision-{Interlocked.Increment(ref _nonce)}") with { Kind = kind, Target = target, Content = null };
}
