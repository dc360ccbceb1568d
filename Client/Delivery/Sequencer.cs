namespace AspireChat.Client.Delivery;

/// <summary>What an event is to the one who puts a log in order.</summary>
internal enum Arrival
{
    /// <summary>The next one, to be delivered now.</summary>
    Next,

    /// <summary>Events before it are missing; it is held.</summary>
    Early,

    /// <summary>It was delivered before, or is held.</summary>
    Known,

    /// <summary>Its seq was delivered with another event: the log is not the one that was known.</summary>
    Conflict,
}

/// <summary>
/// Puts one conversation's events into the order of seq, each once. It does no I/O and knows no time. Not thread-safe: its conversation
/// guards it.
/// </summary>
/// <param name="heldLimit">Most events held above a hole. Beyond it the highest are let go: a repair brings them again.</param>
internal sealed class Sequencer(int heldLimit)
{
    /// <summary>So many delivered events are remembered by id, to know a repeat from another log's event under the same seq.</summary>
    private const int Remembered = 64;

    /// <summary>Abandoned epochs that are remembered, so that a late answer from one of them is not taken for a new log.</summary>
    private const int FormerEpochs = 8;

    private readonly SortedList<long, ChatEvent> _held = new();
    private readonly (long Seq, string Id)[] _recent = new (long, string)[Remembered];
    private readonly Queue<string> _former = new();

    /// <summary>The first and the last event that were delivered before the server named the log; null when there are none.</summary>
    private (long From, long To)? _nameless;

    /// <summary>The last of them when the connection ended: by now the log may be another one.</summary>
    private long? _doubtedTo;

    private bool _contradicted;

    /// <summary>Everything up to this seq was delivered; null until the place in the log is known.</summary>
    public long? Last { get; private set; }

    /// <summary>Null until the server named it.</summary>
    public string? Epoch { get; private set; }

    /// <summary>The log is known to reach this far.</summary>
    public long Target { get; private set; }

    public bool HasHeld => _held.Count > 0;

    /// <summary>Events are known to exist that were not delivered.</summary>
    public bool IsBehind => Last is { } last && (Target > last || HasHeld);

    public void Reset(string? epoch, long last)
    {
        if (Epoch is not null && Epoch != epoch && !_former.Contains(Epoch))
        {
            _former.Enqueue(Epoch);
            if (_former.Count > FormerEpochs)
            {
                _former.Dequeue();
            }
        }
        Epoch = epoch;
        Last = last;
        Target = last;
        (_nameless, _doubtedTo, _contradicted) = (null, null, false);
        _held.Clear();
        Array.Clear(_recent);
    }

    /// <summary>
    /// From where to ask for events. Usually <see cref="Last"/>. After the connection ended before the server named the log, the log may be
    /// another one by now: then from before the events that were delivered without its name, as far as they are remembered, to compare them.
    /// </summary>
    public long? ResumeFrom => _doubtedTo is { } to ? Math.Max(_nameless!.Value.From - 1, to - Remembered) : Last;

    public void OnDown()
    {
        if (Epoch is null && _nameless is not null)
        {
            _doubtedTo = Last;
        }
    }

    /// <summary>True when the log lacks events that were delivered without its name: it is another one.</summary>
    public bool IsTooShort(long head) => head < _doubtedTo;

    /// <summary>True when this event shows that the log is another one than that of the events delivered without its name.</summary>
    public bool IsContradictedBy(ChatEvent e) => _doubtedTo is not null && e.Seq <= Last && Arrive(e) == Arrival.Conflict;

    /// <summary>
    /// Learns an epoch that was not known yet. True when <paramref name="epoch"/> is another one than the log's: by its name, or because an
    /// event contradicted one that was delivered without it.
    /// </summary>
    public bool IsForeign(string epoch)
    {
        if (!_contradicted)
        {
            Epoch ??= epoch;
            _doubtedTo = null;
        }
        return _contradicted || epoch != Epoch;
    }

    /// <summary>True for an epoch that was given up already.</summary>
    public bool IsFormer(string epoch) => _former.Contains(epoch);

    public void Expect(long seq) => Target = Math.Max(Target, seq);

    /// <summary>Withdraws what was expected beyond the events that are held: history says it does not exist.</summary>
    public void ExpectNoMore() => Target = Last ?? 0;

    /// <summary>
    /// The place must be known. An event that is <see cref="Arrival.Next"/> or <see cref="Arrival.Early"/> waits to be taken.
    /// </summary>
    public Arrival Arrive(ChatEvent e)
    {
        var last = Last ?? throw new InvalidOperationException("The place in the log is not known.");
        if (e.Seq <= last)
        {
            var (seq, id) = _recent[e.Seq % Remembered];
            if (seq != e.Seq || id == e.Id)
            {
                return Arrival.Known;
            }
            _contradicted |= e.Seq >= _nameless?.From && e.Seq <= _nameless?.To;
            return Arrival.Conflict;
        }
        Target = Math.Max(Target, e.Seq);
        if (_held.TryGetValue(e.Seq, out var held))
        {
            return held.Id == e.Id ? Arrival.Known : Arrival.Conflict;
        }

        if (_held.Count >= heldLimit && e.Seq != last + 1)
        {
            if (_held.GetKeyAtIndex(_held.Count - 1) < e.Seq)
            {
                return Arrival.Early;
            }

            _held.RemoveAt(_held.Count - 1);
        }
        _held.Add(e.Seq, e);
        return e.Seq == last + 1 ? Arrival.Next : Arrival.Early;
    }

    /// <summary>The event to deliver now, or null. It stays the next one until <see cref="Delivered"/>.</summary>
    public ChatEvent? Peek() => _held.Count > 0 && _held.GetKeyAtIndex(0) == Last + 1 ? _held.GetValueAtIndex(0) : null;

    public void Delivered()
    {
        var e = _held.GetValueAtIndex(0);
        _held.RemoveAt(0);
        Last = e.Seq;
        if (Epoch is null)
        {
            _nameless = (_nameless?.From ?? e.Seq, e.Seq);
        }
        _recent[e.Seq % Remembered] = (e.Seq, e.Id);
    }

    /// <summary>
    /// Gives up on the missing events before the first held one, or up to <paramref name="head"/> when none is held; returns which.
    /// </summary>
    public (long From, long To)? Skip(long head)
    {
        var from = Last + 1 ?? throw new InvalidOperationException("The place in the log is not known.");
        var to = _held.Count > 0 ? _held.GetKeyAtIndex(0) - 1 : head;
        if (to < from)
        {
            return null;
        }

        Last = to;
        Target = Math.Max(Target, to);
        return (from, to);
    }
}
