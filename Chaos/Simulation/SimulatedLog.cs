using AspireChat.Chaos.Ledgers;

namespace AspireChat.Chaos.Simulation;

internal sealed record SimulatedEvent(long Seq, Guid Id, string Sender, string Nonce);

/// <summary>
/// A simulation of append.lua, the partition's log and the writer of the database, for one conversation in one partition.
/// </summary>
internal sealed class SimulatedLog(PlantedBug bug, Func<Guid> newId)
{
    private readonly Dictionary<string, SimulatedEvent> _nonces = [];
    private readonly SortedDictionary<long, SimulatedEvent> _tail = [];

    /// <summary>The partition log by entry number.</summary>
    private readonly SortedDictionary<long, SimulatedEvent> _log = [];

    /// <summary>Entries that the writer has read and not acknowledged, as the consumer group remembers them.</summary>
    private readonly SortedSet<long> _pending = [];
    private readonly List<Stored> _database = [];
    private readonly HashSet<string> _stored = [];
    private List<long> _inHand = [];
    private long _entries;
    private long _read;
    private int _epochs = 1;
    private string _lastEpoch = "e1";

    /// <summary>Null when the log was wiped and is not opened again yet.</summary>
    public string? Epoch { get; private set; } = "e1";

    public long Head { get; private set; }

    public IReadOnlyList<Stored> Database => _database;

    public bool IsSettled => Epoch is not null && _log.Count == 0 && _pending.Count == 0 && _inHand.Count == 0;

    /// <summary>Null while the partition is closed.</summary>
    public SimulatedEvent? Append(string sender, string nonce)
    {
        if (Epoch is null)
        {
            return null;
        }

        if (bug != PlantedBug.NoDedup && _nonces.TryGetValue(nonce, out var first))
        {
            return first;
        }

        var e = new SimulatedEvent(++Head, newId(), sender, nonce);
        _nonces[nonce] = e;
        _tail.Add(e.Seq, e);
        _log.Add(++_entries, e);
        return e;
    }

    /// <summary>The events after <paramref name="seq"/>: those of the database, and the tail that is not committed yet.</summary>
    public IEnumerable<SimulatedEvent> After(long seq)
    {
        foreach (var e in _database)
        {
            if (e.Seq > seq && !_tail.ContainsKey(e.Seq))
            {
                yield return new SimulatedEvent(e.Seq, e.Id, e.Sender, e.Nonce);
            }
        }
        foreach (var e in _tail.Values)
        {
            if (e.Seq > seq)
            {
                yield return e;
            }
        }
    }

    /// <summary>The writer reads a batch. Entries that an earlier batch left unacknowledged come first.</summary>
    public void Read(int most)
    {
        if (Epoch is null || _inHand.Count > 0)
        {
            return;
        }

        _inHand = [.. _pending.Take(most)];
        if (_inHand.Count == 0)
        {
            _inHand = [.. _log.Keys.Where(entry => entry > _read).Take(most)];
        }

        foreach (var entry in _inHand)
        {
            _pending.Add(entry);
            _read = Math.Max(_read, entry);
        }
        if (bug == PlantedBug.AckBeforeCommit)
        {
            Acknowledge(_inHand);
        }

        if (bug == PlantedBug.TrimTooEarly)
        {
            Trim(_read);
        }
    }

    /// <param name="acknowledges">False when the writer dies between the commit and the acknowledgement.</param>
    public void Commit(bool acknowledges, IReadOnlyDictionary<long, SimulatedEvent>? held = null)
    {
        foreach (var entry in _inHand)
        {
            if ((_log.TryGetValue(entry, out var e) || (held?.TryGetValue(entry, out e) ?? false)) && _stored.Add(e.Nonce))
            {
                _database.Add(new Stored(_lastEpoch, e.Seq, e.Id, e.Sender, e.Nonce, 0));
            }
        }
        if (acknowledges)
        {
            Acknowledge(_inHand);
        }

        _inHand = [];
    }

    /// <summary>The events that the writer holds in memory and loses when it dies.</summary>
    public Dictionary<long, SimulatedEvent> Hold() => _inHand.Where(_log.ContainsKey).ToDictionary(entry => entry, entry => _log[entry]);

    public void WriterDies() => _inHand = [];

    public void Wipe()
    {
        Epoch = null;
        Head = 0;
        _nonces.Clear();
        _tail.Clear();
        _log.Clear();
        _pending.Clear();
        _inHand = [];
    }

    /// <summary>Fills the wiped log from the database and begins a new epoch.</summary>
    public void Open()
    {
        if (Epoch is not null)
        {
            return;
        }

        foreach (var e in _database)
        {
            _nonces[e.Nonce] = new SimulatedEvent(e.Seq, e.Id, e.Sender, e.Nonce);
        }

        Head = _database.Count > 0 ? _database[^1].Seq : 0;
        _read = _entries;
        Epoch = _lastEpoch = bug == PlantedBug.SameEpochAfterWipe ? _lastEpoch : $"e{++_epochs}";
    }

    private void Acknowledge(List<long> entries)
    {
        foreach (var entry in entries)
        {
            _pending.Remove(entry);
        }

        Trim(_pending.Count > 0 ? _pending.Min - 1 : _read);
    }

    private void Trim(long upTo)
    {
        foreach (var entry in _log.Keys.TakeWhile(entry => entry <= upTo).ToList())
        {
            _log.Remove(entry);
        }
    }
}
