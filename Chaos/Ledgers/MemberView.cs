namespace AspireChat.Chaos.Ledgers;

/// <summary>
/// One reader's view of one conversation, as an application would hold it: every event once and in order, from the place where it joined.
/// Not thread-safe: its reader owns it.
/// </summary>
internal sealed class MemberView(Ledger ledger, string member, string conversation)
{
    /// <summary>Index 0 is the event after <see cref="Start"/>. An empty id stands for an event that is known to be missing.</summary>
    private readonly List<Guid> _ids = [];

    public string Member => member;

    public string Conversation => conversation;

    public string? Epoch { get; private set; }

    public bool Begun { get; private set; }

    /// <summary>The view holds the events after this seq.</summary>
    public long Start { get; private set; }

    public long Last => Start + _ids.Count;

    /// <summary>How often the reader was told to reload, or was told of a gap.</summary>
    public int Told { get; private set; }

    public Guid? IdAt(long seq) => seq > Start && seq <= Last && _ids[(int)(seq - Start - 1)] is var id && id != Guid.Empty ? id : null;

    public void Begin(string? epoch, long head)
    {
        if (Begun)
        {
            return;
        }

        (Begun, Epoch, Start) = (true, epoch, head);
    }

    public void Deliver(string? epoch, long seq, Guid id, string? key)
    {
        Begin(epoch, seq - 1);
        if (epoch is not null && Epoch is not null && epoch != Epoch)
        {
            ledger.Findings.Add(Breach.SilentGap, $"{this}: the log changed from {Epoch} to {epoch} at {seq} and the reader was not told");
        }

        Epoch = epoch ?? Epoch;
        ledger.Deliver(conversation, Epoch, seq, id, key);
        if (seq > Last)
        {
            if (seq > Last + 1)
            {
                ledger.Findings.Add(Breach.SilentGap, $"{this}: {Last + 1} to {seq - 1} were skipped", seq - 1 - Last);
            }

            Miss(seq - 1);
            _ids.Add(id);
            return;
        }
        if (seq <= Start || IdAt(seq) == id)
        {
            ledger.Findings.Add(Breach.Duplicated, $"{this}: {seq} came again, behind {Last}");
        }
        else if (IdAt(seq) is { } other)
        {
            ledger.Findings.Add(Breach.Conflict, $"{this}: {seq} was {other} and came as {id}");
        }
        else
        {
            ledger.Findings.Add(Breach.Inverted, $"{this}: {seq} came behind {Last}");
            _ids[(int)(seq - Start - 1)] = id;
        }
    }

    /// <summary>The server told of a rebuilt log. The reader now reads history and gives it to <see cref="Restore"/>.</summary>
    public void Reload(string epoch)
    {
        Told++;
        if (Epoch is not null && (Epoch == epoch || !ledger.IsWiped(Epoch)))
        {
            ledger.Findings.Add(Breach.ToldWithoutCause, $"{this}: told to reload from {Epoch} to {epoch}");
        }

        if (Epoch is not null)
        {
            ledger.Told(Epoch);
        }

        Epoch = epoch;
        Begun = true;
    }

    /// <summary>Replaces the events after <paramref name="anchor"/> with these, which are oldest first and without a hole.</summary>
    public void Restore(long anchor, IReadOnlyList<(long Seq, Guid Id)> events)
    {
        if (anchor < Last)
        {
            _ids.RemoveRange((int)(anchor - Start), (int)(Last - anchor));
        }

        foreach (var (seq, id) in events)
        {
            if (seq > Last + 1)
            {
                ledger.Findings.Add(Breach.SilentGap, $"{this}: history has no {Last + 1} to {seq - 1}", seq - 1 - Last);
            }

            Miss(seq - 1);
            if (seq == Last + 1)
            {
                _ids.Add(id);
            }

            ledger.Deliver(conversation, Epoch, seq, id, null);
        }
    }

    /// <summary>The server said that the events up to <paramref name="to"/> are only in history. <see cref="Fill"/> brings them.</summary>
    public void Tell(long to)
    {
        Told++;
        Miss(to);
    }

    public void Fill(long seq, Guid id)
    {
        if (seq > Start && seq <= Last && IdAt(seq) is null)
        {
            _ids[(int)(seq - Start - 1)] = id;
        }
    }

    public override string ToString() => $"{member} in {conversation}";

    private void Miss(long to)
    {
        while (Last < to)
        {
            _ids.Add(Guid.Empty);
        }
    }
}
