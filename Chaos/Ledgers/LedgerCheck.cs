namespace AspireChat.Chaos.Ledgers;

/// <summary>
/// Compares the promises with the database. Each acknowledged event must be there once, with its id and content. Each reader's view must
/// equal the database from the place where it began. The sends of each connection must be in order. A wipe of Redis may take an event only
/// where the contract allows it: the event was not reported as durable, it stood at the end of its epoch, and its sender was told of the
/// new epoch. A message must then have been sent again with its nonce, and that send must be in the database.
/// </summary>
internal sealed class LedgerCheck(Ledger ledger, IReadOnlyDictionary<string, IReadOnlyList<Stored>> database)
{
    private readonly Dictionary<(string Conversation, string Epoch), long> _lastOfEpoch = [];

    /// <summary>
    /// Acknowledged messages that a wipe took, as <c>ack</c> without <c>durable</c> allows, and that a second send brought back.
    /// </summary>
    public long SentAgain { get; private set; }

    /// <summary>Edits, deletions and reactions that a wipe took. They refer to a seq of the old log, so they are not sent again.</summary>
    public long Forgiven { get; private set; }

    /// <summary>Acknowledged events found in the database.</summary>
    public long Found { get; private set; }

    /// <summary>Events that were in the database and are gone or changed.</summary>
    public long Damaged { get; private set; }

    private Findings Findings => ledger.Findings;

    public void Run()
    {
        foreach (var (conversation, events) in database)
        {
            CheckStored(conversation, events);
        }

        foreach (var ack in ledger.Acknowledged)
        {
            CheckAcknowledged(ack);
        }

        foreach (var lane in ledger.Acknowledged.GroupBy(ack => (ack.Sender, ack.Conversation, ack.Epoch)))
        {
            CheckOrder(lane);
        }

        foreach (var view in ledger.Views)
        {
            CheckView(view);
        }
    }

    /// <summary>Checks that the events that the database had before are still there, unaltered.</summary>
    public void CheckIntact(IReadOnlyDictionary<string, IReadOnlyList<Stored>> before)
    {
        foreach (var (conversation, events) in before)
        {
            var now = database.GetValueOrDefault(conversation) ?? [];
            foreach (var e in events)
            {
                if (Find(now, e.Seq) is { } found && found.Id == e.Id)
                {
                    continue;
                }

                Damaged++;
                Findings.Add(Breach.Lost, $"{conversation} {e.Seq} was in the database and is gone");
            }
        }
    }

    /// <summary>Compares HTTP history of a conversation, oldest first, with the database.</summary>
    public void CheckHistory(string conversation, IReadOnlyList<(long Seq, Guid Id)> history)
    {
        var events = database.GetValueOrDefault(conversation) ?? [];
        var same = 0;
        while (same < events.Count && same < history.Count && (events[same].Seq, events[same].Id) == history[same])
        {
            same++;
        }

        if (same == events.Count && same == history.Count)
        {
            return;
        }

        var text = $"history of {conversation} has {history.Count} of {events.Count} events and differs from the database at {same + 1}";
        Findings.Add(Breach.Lost, text, Math.Max(1, Math.Abs(events.Count - history.Count)));
    }

    private void CheckStored(string conversation, IReadOnlyList<Stored> events)
    {
        var nonces = new HashSet<(string, string)>();
        var last = 0L;
        foreach (var e in events)
        {
            if (e.Seq != last + 1)
            {
                Findings.Add(Breach.Lost, $"{conversation}: the database has nothing from {last + 1} to {e.Seq - 1}", e.Seq - 1 - last);
            }

            last = e.Seq;
            if (!nonces.Add((e.Sender, e.Nonce)))
            {
                Findings.Add(Breach.Duplicated, $"{conversation}: {e.Sender}'s {e.Nonce} is stored a second time at {e.Seq}");
            }

            _lastOfEpoch[(conversation, e.Epoch)] = e.Seq;
        }
    }

    private void CheckAcknowledged(Acknowledged ack)
    {
        var events = database.GetValueOrDefault(ack.Conversation) ?? [];
        var found = Find(events, ack.Seq);
        if (found is not { } stored || stored.Id != ack.Id)
        {
            var text = $"{ack.Sender}'s {ack.Nonce}, acknowledged as {ack.Conversation} {ack.Epoch}/{ack.Seq},";
            if (!MayBeGone(ack))
            {
                Findings.Add(Breach.Lost, $"{text} is {(found is null ? "gone" : "another event")}{Why(ack)}");
            }
            else if (!WasTold(ack))
            {
                Findings.Add(Breach.Untold, $"{text} was wiped, and the sender was not told");
            }
            else
            {
                CheckSentAgain(ack, events, text);
            }

            return;
        }
        Found++;
        var other = stored.Content != 0 && ack.Content != 0 && stored.Content != ack.Content;
        if (other || stored.Sender != ack.Sender || stored.Nonce != ack.Nonce)
        {
            Findings.Add(Breach.Altered, $"{ack.Conversation} {ack.Seq} is not what {ack.Sender} sent as {ack.Nonce}");
        }
    }

    private void CheckSentAgain(Acknowledged ack, IReadOnlyList<Stored> events, string text)
    {
        if (ack.Content == 0)
        {
            Forgiven++;
        }
        else if (ledger.SentAgain(ack) is not { } again)
        {
            Findings.Add(Breach.Lost, $"{text} was wiped and not sent again");
        }
        else if (Find(events, again.Seq) is not { } stored || stored.Id != again.Id || stored.Nonce != ack.Nonce)
        {
            Findings.Add(Breach.Lost, $"{text} was wiped, sent again as {again.Epoch}/{again.Seq}, and is gone{Why(again)}");
        }
        else
        {
            SentAgain++;
        }
    }

    private bool WasTold(Acknowledged ack) => ledger.Views
        .Where(view => view.Member == ack.Sender && view.Conversation == ack.Conversation)
        .All(view => view.Epoch is not null && view.Epoch != ack.Epoch);

    private string Why(Acknowledged ack) => ack.Epoch is not { } epoch || !ledger.IsWiped(epoch) ? ""
        : $"; the wiped epoch ended at {_lastOfEpoch.GetValueOrDefault((ack.Conversation, epoch))} in the database, "
        + $"{ledger.DurableUpTo(ack.Conversation, epoch)} was reported durable";

    private bool MayBeGone(Acknowledged ack)
    {
        if (ack.Epoch is not { } epoch)
        {
            return ledger.AnyWiped;
        }

        return ledger.IsWiped(epoch)
            && ack.Seq > _lastOfEpoch.GetValueOrDefault((ack.Conversation, epoch))
            && ack.Seq > ledger.DurableUpTo(ack.Conversation, epoch);
    }

    private void CheckOrder(IEnumerable<Acknowledged> lane)
    {
        var (order, seq) = (-1L, 0L);
        foreach (var ack in lane.Where(ack => ack.Order >= 0).OrderBy(ack => ack.Order))
        {
            if (ack.Order == order)
            {
                Findings.Add(Breach.Duplicated, $"{ack.Sender}'s {ack.Nonce} to {ack.Conversation} was acknowledged twice");
            }
            else if (ack.Seq <= seq)
            {
                Findings.Add(Breach.Inverted, $"{ack.Sender} to {ack.Conversation}: {ack.Nonce}, sent later, got {ack.Seq}, behind {seq}");
            }

            (order, seq) = (ack.Order, Math.Max(seq, ack.Seq));
        }
    }

    private void CheckView(MemberView view)
    {
        if (!view.Begun)
        {
            return;
        }

        if (ledger.IsWiped(view.Epoch))
        {
            Findings.Add(Breach.Untold, $"{view} was never told that {view.Epoch} has ended");
        }

        var events = database.GetValueOrDefault(view.Conversation) ?? [];
        foreach (var e in events)
        {
            if (e.Seq <= view.Start)
            {
                continue;
            }

            if (view.IdAt(e.Seq) is not { } id)
            {
                Findings.Add(Breach.Lost, $"{view.Member} never got {view.Conversation} {e.Seq}");
            }
            else if (id != e.Id)
            {
                Findings.Add(Breach.Conflict, $"{view.Member} got {id} as {view.Conversation} {e.Seq}, the database has {e.Id}");
            }
        }
        var head = Math.Max(view.Start, events.Count > 0 ? events[^1].Seq : 0);
        if (view.Last > head)
        {
            var text = $"{view.Member} got {view.Conversation} up to {view.Last}, the database ends at {head}";
            Findings.Add(Breach.Phantom, text, view.Last - head);
        }
    }

    /// <summary>The list has no holes except those found above, so the search begins near the index that the seq suggests.</summary>
    private static Stored? Find(IReadOnlyList<Stored> events, long seq)
    {
        if (seq >= 1 && seq <= events.Count && events[(int)seq - 1].Seq == seq)
        {
            return events[(int)seq - 1];
        }

        var (low, high) = (0, events.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (events[middle].Seq == seq)
            {
                return events[middle];
            }

            if (events[middle].Seq < seq)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return null;
    }
}
