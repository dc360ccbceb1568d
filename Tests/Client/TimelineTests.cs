using AspireChat.Client;
using AspireChat.Client.Views;

namespace AspireChat.Tests.Client;

/// <summary>Messages with their edits, deletions and reactions, and the unread count, without a server.</summary>
public sealed class TimelineTests
{
    private static readonly Conversation Lobby = Conversation.Room("lobby");

    private readonly Timeline _timeline = new();
    private readonly UnreadCount _unread = new();

    public TimelineTests() => _timeline.Reset("e1", 0);

    [Fact]
    public void Edits_deletions_and_reactions_change_the_message_they_aim_at_and_no_other()
    {
        Append(Message(1), Message(2), Message(3, mentions: ["alice"]));
        var untouched = _timeline.Messages[1];

        Append(Edit(4, target: 1, "new"), React(5, target: 1, "carol"), React(6, target: 1, "dave"),
            React(7, target: 1, "carol", removed: true), Delete(8, target: 3), Edit(9, target: 3, "too late"), React(10, target: 3, "carol"));

        var (first, third) = (_timeline.Messages[0], _timeline.Messages[2]);
        Assert.Equal(("new", 4), (first.Content, first.Edited));
        Assert.Equal(["dave"], Assert.Single(first.Reactions).Users);
        Assert.Same(untouched, _timeline.Messages[1]);
        Assert.Equal((true, ""), (third.IsDeleted, third.Content));
        Assert.Empty(third.Mentions);
        Assert.Empty(third.Reactions);
        Assert.Equal(10, _timeline.Last);
    }

    [Fact]
    public void An_edit_keeps_the_mentions_and_the_meta_that_it_does_not_name()
    {
        Append(Message(1, mentions: ["alice"], meta: "{\"a\":1}"), Edit(2, target: 1, "new"));
        Assert.Equal(("{\"a\":1}", "alice"), (_timeline.Messages[0].Meta, _timeline.Messages[0].Mentions.Single()));

        Append(Edit(3, target: 1, "newer", mentions: [], meta: "{}"));
        Assert.Equal("{}", _timeline.Messages[0].Meta);
        Assert.Empty(_timeline.Messages[0].Mentions);
    }

    [Fact]
    public void Changes_of_messages_that_are_not_loaded_are_applied_to_the_page_that_brings_them()
    {
        _timeline.Reset("e1", 10);
        Append(Delete(11, target: 9), Edit(12, target: 8, "new"), React(13, target: 7, "carol"));

        // The page is older than the changes.
        Assert.Equal(3, Prepend(Message(7), Message(8), Message(9)));

        Assert.Equal(["carol"], _timeline.Messages[0].Reactions.Single().Users);
        Assert.Equal("new", _timeline.Messages[1].Content);
        Assert.True(_timeline.Messages[2].IsDeleted);
    }

    [Fact]
    public void A_page_that_has_counted_a_reaction_does_not_count_it_twice()
    {
        _timeline.Reset("e1", 10);
        Append(React(11, target: 9, "carol"));

        // 101 users reacted, of whom the page lists the first 100, and carol is the last.
        Prepend(Message(9, asOf: 11, reactions: new MessageReactions("+1", ["bob"]) { Count = 101 }));

        Assert.Equal(101, _timeline.Messages[0].Reactions.Single().Count);
        Append(React(12, target: 9, "dave"));
        Assert.Equal(102, _timeline.Messages[0].Reactions.Single().Count);
    }

    [Fact]
    public void Events_that_a_page_has_brought_already_change_nothing_when_they_come()
    {
        _timeline.Reset("e1", 3);
        Prepend(Message(1), Message(2), Message(3));

        Append(Message(3), Message(4));

        Assert.Equal([1, 2, 3, 4], _timeline.Messages.Select(message => message.Seq));
    }

    [Fact]
    public void Unread_is_exact_after_a_partial_read_here_and_on_another_device()
    {
        _timeline.Reset("e1", 100);
        _unread.Counted(unread: 40, mentions: 4, head: 100, read: 50);
        Append(Message(101), Message(102, mentions: ["alice"]), Message(103, from: "alice"));
        Assert.Equal((42, 5), _unread.Count(_timeline, "alice"));
        Assert.True(_unread.IsExact(_timeline));

        // Below what is loaded nobody but the server can count.
        _unread.Move(70);
        Assert.False(_unread.IsExact(_timeline));
        _unread.Counted(unread: 13, mentions: 1, head: 102, read: 70);
        Assert.True(_unread.IsExact(_timeline));
        Assert.Equal((13, 1), _unread.Count(_timeline, "alice"));

        _unread.Learn(101);
        Assert.Equal((1, 1), _unread.Count(_timeline, "alice"));
        Assert.True(_unread.IsExact(_timeline));
    }

    [Fact]
    public void Messages_dropped_from_memory_stay_unread()
    {
        _unread.Counted(0, 0, 0, 0);
        Append([.. Enumerable.Range(1, 20).Select(seq => Message(seq))]);
        _unread.Move(5);

        _unread.Trim(_timeline, keep: 4, "alice");

        Assert.Equal([17, 18, 19, 20], _timeline.Messages.Select(message => message.Seq));
        Assert.Equal((15, 0), _unread.Count(_timeline, "alice"));
        Assert.True(_unread.IsExact(_timeline));
    }

    private void Append(params ChatEvent[] events)
    {
        foreach (var e in events)
        {
            _timeline.Append(e, e.From == "alice");
        }
    }

    private int Prepend(params ChatEvent[] events) => _timeline.Prepend(events, isLast: false, e => e.From == "alice");

    private static MessageSent Message(
        long seq, string from = "bob", string[]? mentions = null, string? meta = null, long asOf = 0, MessageReactions? reactions = null) =>
        new(Lobby)
        {
            Id = $"id-{seq}", Seq = seq, From = from, Timestamp = DateTimeOffset.UnixEpoch, Content = $"{seq}", Mentions = mentions ?? [],
            Meta = meta, AsOf = asOf, Reactions = reactions is null ? [] : [reactions],
        };

    private static MessageEdited Edit(long seq, long target, string content, string[]? mentions = null, string? meta = null) => new(Lobby)
    {
        Id = $"id-{seq}", Seq = seq, From = "bob", Timestamp = DateTimeOffset.UnixEpoch, Target = target, Content = content,
        Mentions = mentions, Meta = meta,
    };

    private static MessageDeleted Delete(long seq, long target) => new(Lobby)
    {
        Id = $"id-{seq}", Seq = seq, From = "bob", Timestamp = DateTimeOffset.UnixEpoch, Target = target,
    };

    private static MessageReacted React(long seq, long target, string from, bool removed = false) => new(Lobby)
    {
        Id = $"id-{seq}", Seq = seq, From = from, Timestamp = DateTimeOffset.UnixEpoch, Target = target, Emoji = "+1", Removed = removed,
    };
}
