using AspireChat.Contracts.Conversations;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Persistence;

[Trait("Needs", "PostgreSQL")]
public sealed class WriterTests
{
    private static readonly ConversationKey Lobby = ConversationKey.Room("lobby");
    private static readonly ConversationKey Direct = ConversationKey.Direct("alice", "bob");

    [Fact]
    public async Task Redelivered_entries_change_nothing()
    {
        await using var world = await WriterFixture.CreateAsync();
        LogEntry[] entries =
        [
            LogEntries.Joined(1, Lobby, "alice", true),
            LogEntries.At(2, LogEntries.Message(Lobby, 1)),
            LogEntries.At(3, LogEntries.Message(Direct, 1)),
            LogEntries.At(4, LogEntries.Edit(Lobby, 2, 1, "better")),
            LogEntries.Read(5, Lobby, "alice", 2),
            LogEntries.Joined(6, Lobby, "alice", false),
        ];
        Assert.Empty(await world.WriteAsync(entries));
        var once = await world.DumpAsync();
        Assert.Contains("better", once, StringComparison.Ordinal);

        Assert.Empty(await world.WriteAsync(entries));
        Assert.Empty(await world.WriteAsync(entries[2..4]));
        Assert.Empty(await world.WriteAsync([entries[0]]));
        Assert.Equal(once, await world.DumpAsync());
    }

    [Fact]
    public async Task Edits_and_deletes_lead_to_the_same_state_in_any_order()
    {
        await using var world = await WriterFixture.CreateAsync();
        foreach (var order in Permutations([0, 1, 2, 3]))
        {
            var room = RoomOf(order);
            LogEntry[] entries =
            [
                LogEntries.Of(LogEntries.Message(room, 1, content: "first")),
                LogEntries.Of(LogEntries.Edit(room, 2, 1, "second")),
                LogEntries.Of(LogEntries.Edit(room, 3, 1, "third")),
                LogEntries.Of(LogEntries.Edit(room, 4, 1, "not mine", from: "mallory")),
            ];
            foreach (var i in order)
            {
                await world.WriteAsync(entries[i]);
            }

            Assert.Equal(("third", 3L, false), await StateAsync(world, 1, room));
        }
    }

    [Fact]
    public async Task A_deleted_message_and_its_edits_have_no_text_whatever_came_first()
    {
        await using var world = await WriterFixture.CreateAsync();
        foreach (var order in Permutations([0, 1, 2, 3]))
        {
            var room = RoomOf(order);
            LogEntry[] entries =
            [
                LogEntries.Of(LogEntries.Message(room, 1, content: "secret")),
                LogEntries.Of(LogEntries.Edit(room, 2, 1, "secret too")),
                LogEntries.Of(LogEntries.Delete(room, 3, 1)),
                LogEntries.Of(LogEntries.Edit(room, 4, 1, "secret after all")),
            ];
            foreach (var i in order)
            {
                await world.WriteAsync(entries[i]);
            }

            await world.WriteAsync(entries);
            Assert.DoesNotContain("secret", await world.DumpAsync(), StringComparison.Ordinal);
            Assert.True((await StateAsync(world, 1, room)).Deleted);
        }
    }

    [Fact]
    public async Task In_a_direct_conversation_only_the_author_can_delete_and_in_a_room_whoever_the_log_let()
    {
        await using var world = await WriterFixture.CreateAsync();
        var direct = ConversationKey.Direct("alice", "mallory");
        await world.WriteAsync(
            LogEntries.Of(LogEntries.Message(direct, 1, content: "mine")), LogEntries.Of(LogEntries.Delete(direct, 2, 1, from: "mallory")),
            LogEntries.Of(LogEntries.Message(Lobby, 1, content: "theirs")), LogEntries.Of(LogEntries.Delete(Lobby, 2, 1, from: "moderator")));
        Assert.Equal(("mine", 0L, false), await StateAsync(world, 1, direct));
        Assert.Equal(("", 0L, true), await StateAsync(world, 1));
    }

    [Fact]
    public async Task Another_event_at_a_committed_seq_is_an_alarm_and_nothing_is_overwritten()
    {
        await using var world = await WriterFixture.CreateAsync();
        await world.WriteAsync(LogEntries.Of(LogEntries.Message(Lobby, 1, content: "first")));
        var intruder = LogEntries.At(2, LogEntries.Message(Lobby, 1, nonce: "other", content: "intruder"));
        var conflicts = await world.WriteAsync(intruder, LogEntries.At(3, LogEntries.Message(Lobby, 2)));
        var conflict = Assert.Single(conflicts);
        Assert.Same(intruder, conflict.Entry);
        Assert.True(conflict.SeqTaken);
        Assert.Equal("first", (await StateAsync(world, 1)).Content);
        Assert.Equal("text 2", (await StateAsync(world, 2)).Content);
    }

    [Fact]
    public async Task A_nonce_that_stands_at_another_seq_is_an_alarm()
    {
        await using var world = await WriterFixture.CreateAsync();
        await world.WriteAsync(LogEntries.Of(LogEntries.Message(Lobby, 1, nonce: "same")));
        var conflict = Assert.Single(await world.WriteAsync(LogEntries.Of(LogEntries.Message(Lobby, 2, nonce: "same"))));
        Assert.False(conflict.SeqTaken);
        Assert.Single(await world.RowsAsync("SELECT seq FROM events", reader => reader.GetInt64(0)));
    }

    [Fact]
    public async Task The_same_nonce_of_another_sender_or_conversation_is_no_conflict()
    {
        await using var world = await WriterFixture.CreateAsync();
        Assert.Empty(await world.WriteAsync(
            LogEntries.At(1, LogEntries.Message(Lobby, 1, "alice", "same")),
            LogEntries.At(2, LogEntries.Message(Lobby, 2, "bob", "same")),
            LogEntries.At(3, LogEntries.Message(Direct, 1, "alice", "same"))));
    }

    [Fact]
    public async Task Read_cursors_only_move_forward()
    {
        await using var world = await WriterFixture.CreateAsync();
        await world.WriteAsync(LogEntries.Joined(1, Lobby, "alice", true, read: 2));
        await world.WriteAsync(LogEntries.Read(2, Lobby, "alice", 9), LogEntries.Read(3, Lobby, "alice", 7));
        await world.WriteAsync(LogEntries.Read(2, Lobby, "alice", 5));
        await world.WriteAsync(LogEntries.Read(4, Direct, "bob", 3));
        var members = await world.RowsAsync(
            "SELECT conversation, member, joined, read FROM members ORDER BY 1",
            r => (r.GetString(0), r.GetString(1), r.GetBoolean(2), r.GetInt64(3)));
        Assert.Equal([("d:alice:bob", "bob", true, 3L), ("r:lobby", "alice", true, 9L)], members);
    }

    [Fact]
    public async Task The_last_change_of_membership_in_the_log_wins_in_whatever_order_it_is_written()
    {
        await using var world = await WriterFixture.CreateAsync();
        foreach (var order in Permutations([0, 1, 2, 3, 4]).Where((_, i) => i % 7 == 0))
        {
            var room = RoomOf(order);
            LogEntry[] entries =
            [
                LogEntries.Joined(1, room, "alice", true),
                LogEntries.Joined(2, room, "alice", false),
                LogEntries.Joined(3, room, "alice", true, read: 4),
                LogEntries.Joined(4, room, "bob", true),
                LogEntries.Joined(5, room, "bob", false),
            ];
            foreach (var i in order)
            {
                await world.WriteAsync(entries[i]);
            }

            await world.WriteAsync(entries);
            Assert.Equal(
                [("alice", true, 4L), ("bob", false, 0L)],
                await world.RowsAsync(
                    $"SELECT member, joined, read FROM members WHERE conversation = '{room}' ORDER BY 1",
                    r => (r.GetString(0), r.GetBoolean(1), r.GetInt64(2))));
        }
    }

    [Fact]
    public async Task Both_sides_of_a_direct_conversation_are_members_from_its_first_event()
    {
        await using var world = await WriterFixture.CreateAsync();
        await world.WriteAsync(LogEntries.At(1, LogEntries.Message(Direct, 1)));
        await world.WriteAsync(LogEntries.At(2, LogEntries.Message(ConversationKey.Direct("alice", "alice"), 1)));
        Assert.Equal(
            [("d:alice:alice", "alice"), ("d:alice:bob", "alice"), ("d:alice:bob", "bob")],
            await world.RowsAsync("SELECT conversation, member FROM members WHERE joined ORDER BY 1, 2",
                r => (r.GetString(0), r.GetString(1))));
    }

    [Fact]
    public async Task Only_the_bad_entries_of_a_batch_are_rejected()
    {
        await using var world = await WriterFixture.CreateAsync();
        var entries = Enumerable.Range(1, 100)
            .Select(i => LogEntries.Of(LogEntries.Message(Lobby, i, content: i is 13 or 14 or 100 ? "bad \0 text" : "fine")))
            .ToArray();
        entries[49] = entries[49] with { Record = null };
        var result = await world.Persister.PersistAsync(0, entries, advance: true, CancellationToken.None, CancellationToken.None);
        Assert.Equal([13, 14, 50, 100], result.Rejected.Select(bad => bad.Entry.Seq).Order());
        Assert.All(result.Rejected, bad => Assert.True(bad.Missing));
        Assert.Equal(entries[98].Position, result.Committed);
        Assert.Equal(96, (await world.RowsAsync("SELECT seq FROM events", reader => reader.GetInt64(0))).Count);
    }

    private static async Task<(string Content, long Edited, bool Deleted)> StateAsync(
        WriterFixture world, long seq, ConversationKey? room = null) => Assert.Single(
        await world.RowsAsync(
            $"SELECT content, COALESCE(edited, 0), deleted IS NOT NULL FROM events WHERE conversation = '{room ?? Lobby}' AND seq = {seq}",
            reader => (reader.GetString(0), reader.GetInt64(1), reader.GetBoolean(2))));

    private static ConversationKey RoomOf(int[] order) => ConversationKey.Room("room" + string.Concat(order));

    private static IEnumerable<int[]> Permutations(int[] items) => items.Length == 1
        ? [items]
        : items.SelectMany(item => Permutations([.. items.Where(other => other != item)]).Select(rest => (int[])[item, .. rest]));
}
