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
    private bool _delivered;
    private bool _doubted;

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
        (_delivered, _doubted) = (false, false);
        _held.Clear();
        Array.Clear(_recent);
    }

    /// <summary>
    /// The connection ended. Where events were delivered before the server named their log, the name that comes next may be that of
    /// another log: it counts as foreign.
    /// </summary>
    public void OnDown() => _doubted = Epoch is null && _delivered;

    /// <summary>Learns an epoch that was not known yet; true when <paramref name="epoch"/> is, or may be, another one than the log's.</summary>
    public bool IsForeign(string epoch)
    {
        if (!_doubted)
        {
            Epoch ??= epoch;
        }

        return epoch != Epoch;
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
            return seq == e.Seq && id != e.Id ? Arrival.Conflict : Arrival.Known;
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
        _delivered = true;
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
