namespace AspireChat.Client.Delivery;

/// <summary>What an arriving event means for the order of the log.</summary>
internal enum Arrival
{
    /// <summary>The next one, to be delivered now.</summary>
    Next,

    /// <summary>Events before it are missing, so it is held.</summary>
    Early,

    /// <summary>It was delivered before, or is held.</summary>
    Known,

    /// <summary>Another event was delivered under this seq, so the log is another one than before.</summary>
    Conflict,
}

/// <summary>
/// Puts one conversation's events into the order of seq, each once. It does no I/O and knows no time. Not thread-safe: the session's gate
/// guards it.
/// </summary>
/// <param name="heldLimit">Most events held above a hole. Beyond it the highest are let go, and a repair brings them again.</param>
internal sealed class Sequencer(int heldLimit)
{
    /// <summary>How many delivered events are remembered by id, to tell a repeat from another log's event under the same seq.</summary>
    private const int Remembered = 64;

    /// <summary>How many former epochs are remembered, so that a late answer from one of them is not taken for a new log.</summary>
    private const int FormerEpochs = 8;

    private readonly SortedList<long, ChatEvent> _held = new();
    private readonly (long Seq, string Id)[] _recent = new (long, string)[Remembered];
    private readonly Queue<string> _former = new();

    /// <summary>
    /// The first and the last event that were delivered before the server named the log's epoch; null when there are none.
    /// </summary>
    private (long From, long To)? _nameless;

    /// <summary>The last of these events when the connection ended. The log may be another one since then.</summary>
    private long? _doubtedTo;

    private bool _contradicted;

    /// <summary>Everything up to this seq was delivered; null until the place in the log is known.</summary>
    public long? Last { get; private set; }

    /// <summary>Null until the server has named it.</summary>
    public string? Epoch { get; private set; }

    /// <summary>The log is known to reach this far.</summary>
    public long Target { get; private set; }

    public bool HasHeld => _held.Count > 0;

    /// <summary>Events exist that were not delivered.</summary>
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
    /// Events behind this seq are asked for. Usually that is <see cref="Last"/>. If the connection ended before the server named the epoch,
    /// the log may be another one by now. Then the events that were delivered without an epoch are asked for again, as far as they are
    /// remembered, and compared.
    /// </summary>
    public long? ResumeFrom => _doubtedTo is { } to ? Math.Max(_nameless!.Value.From - 1, to - Remembered) : Last;

    public void OnDown()
    {
        if (Epoch is null && _nameless is not null)
        {
            _doubtedTo = Last;
        }
    }

    /// <summary>
    /// True when the log lacks events that were delivered before its epoch was known, which shows that it is another one.
    /// </summary>
    public bool IsTooShort(long head) => head < _doubtedTo;

    /// <summary>True when an event was delivered under this seq before the epoch was known, and it was another event.</summary>
    public bool IsContradictedBy(ChatEvent e) => _doubtedTo is not null && e.Seq <= Last && Arrive(e) == Arrival.Conflict;

    /// <summary>
    /// Learns the log's epoch if it is not known yet. True when <paramref name="epoch"/> belongs to another log: its name differs, or an
    /// event contradicted one that was delivered before the epoch was known.
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

    /// <summary>True for an epoch of an earlier log.</summary>
    public bool IsFormer(string epoch) => _former.Contains(epoch);

    public void Expect(long seq) => Target = Math.Max(Target, seq);

    /// <summary>Expects no more events than those that are held, because history says that no others exist.</summary>
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
