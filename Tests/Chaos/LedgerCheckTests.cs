using AspireChat.Chaos.Ledgers;

namespace AspireChat.Tests.Chaos;

/// <summary>
/// What a wipe may take and what not, according to the check: docs/delivery.md, "The epoch". Each case has three events of alice, of which
/// the database has the first two, then a wipe of their epoch, and two readers.
/// </summary>
public sealed class LedgerCheckTests
{
    private const string Room = "r:lobby";
    private const ulong Text = 7;

    private readonly Ledger _ledger = new();
    private readonly Guid[] _ids = [.. Enumerable.Range(0, 5).Select(_ => Guid.NewGuid())];
    private readonly List<Stored> _stored = [];

    [Fact]
    public void A_message_that_a_wipe_took_is_no_finding_when_its_sender_was_told_and_has_sent_it_again()
    {
        Play(told: ["alice", "bob"], again: true);

        var check = Check();

        Assert.False(_ledger.Findings.Any, string.Join('\n', _ledger.Findings.Texts));
        Assert.Equal((1, 0, 2), (check.SentAgain, check.Forgiven, check.Found));
    }

    [Fact]
    public void A_message_that_was_not_sent_again_is_lost()
    {
        Play(told: ["alice", "bob"]);

        Check();

        Assert.Equal(1, _ledger.Findings[Breach.Lost]);
    }

    [Fact]
    public void An_edit_deletion_or_reaction_that_a_wipe_took_is_counted_and_forgiven()
    {
        Play(told: ["alice", "bob"], content: 0);

        Assert.Equal((0, 1), (Check().SentAgain, Check().Forgiven));

        Assert.False(_ledger.Findings.Any);
    }

    [Fact]
    public void A_sender_or_reader_who_is_not_told_of_a_wipe_is_a_finding()
    {
        Play(told: ["alice"], again: true);
        Check();
        Assert.Equal(1, _ledger.Findings[Breach.Untold]);

        var other = new LedgerCheckTests();
        other.Play(told: ["bob"], again: true);
        other.Check();
        Assert.Equal(2, other._ledger.Findings[Breach.Untold]);
    }

    [Fact]
    public void An_event_that_was_reported_durable_may_not_be_gone_even_after_a_wipe()
    {
        Play(told: ["alice", "bob"], again: true, durable: 3);

        Check();

        Assert.Equal(1, _ledger.Findings[Breach.Lost]);
    }

    [Fact]
    public void An_event_that_is_gone_without_a_wipe_is_lost()
    {
        _ledger.Acknowledge(Sent(0, "e1", 1, Text));

        Check();

        Assert.Equal(1, _ledger.Findings[Breach.Lost]);
    }

    [Fact]
    public void A_row_that_has_vanished_from_the_database_is_found()
    {
        Play(told: ["alice", "bob"], again: true);
        var before = new Dictionary<string, IReadOnlyList<Stored>> { [Room] = [.. _stored, Row(4, "e2", 4)] };

        var check = Check();
        check.CheckIntact(before);

        Assert.Equal((1, 1), (check.Damaged, _ledger.Findings[Breach.Lost]));
    }

    private void Play(string[] told, bool again = false, ulong content = Text, long durable = 2)
    {
        var views = new[] { "alice", "bob" }.Select(user => _ledger.View(user, Room)).ToList();
        for (var i = 0; i < 3; i++)
        {
            _ledger.Acknowledge(Sent(i, "e1", i + 1, i < 2 ? Text : content));
            foreach (var view in views)
            {
                view.Deliver("e1", i + 1, _ids[i], $"n{i}");
            }
        }
        _ledger.Durable(Room, "e1", durable);
        _stored.AddRange([Row(0, "e1", 1), Row(1, "e1", 2)]);
        _ledger.Wipe("e1");
        if (again)
        {
            _ledger.AcknowledgeAgain(Sent(2, "e2", 3, content) with { Id = _ids[3] });
            _stored.Add(Row(3, "e2", 3) with { Nonce = "n2" });
        }
        foreach (var view in views.Where(view => told.Contains(view.Member)))
        {
            view.Reload("e2");
            view.Restore(2, [.. _stored.Skip(2).Select(e => (e.Seq, e.Id))]);
        }
        // A reader that gets the new event without being told would be another finding. Here no other reader gets an event.
        foreach (var view in views.Where(view => !told.Contains(view.Member)))
        {
            view.Restore(2, [.. _stored.Skip(2).Select(e => (e.Seq, e.Id))]);
        }
    }

    private LedgerCheck Check()
    {
        var check = new LedgerCheck(_ledger, new Dictionary<string, IReadOnlyList<Stored>> { [Room] = _stored });
        check.Run();
        return check;
    }

    private Acknowledged Sent(int number, string epoch, long seq, ulong content) =>
        new(Room, epoch, seq, _ids[number], "alice", $"n{number}", content, number);

    private Stored Row(int number, string epoch, long seq) => new(epoch, seq, _ids[number], "alice", $"n{number}", 0);
}
