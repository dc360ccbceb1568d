namespace AspireChat.Chaos.Ledgers;

/// <summary>
/// Every promise of the system and what came of it: acknowledgements, each reader's view of each conversation, durable reports, and the
/// wipes that the run made on purpose. A breach that shows at once is recorded at once. The rest is for <see cref="LedgerCheck"/>.
/// Thread-safe.
/// </summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly List<Acknowledged> _acknowledged = [];
    private readonly List<MemberView> _views = [];
    private readonly Dictionary<LogPlace, Guid> _places = [];
    private readonly Dictionary<(string Conversation, string Key), Guid> _sends = [];
    private readonly Dictionary<(string Conversation, string Epoch), long> _durable = [];
    private readonly Dictionary<string, long> _wiped = [];
    private readonly Dictionary<(string Conversation, string Sender, string Nonce), Acknowledged> _again = [];
    private long _delivered;

    public const string NewEpochTold = "told the new epoch, from the wipe on";

    public Findings Findings { get; } = new();

    public Durations Durations { get; } = new();

    public long Delivered => Interlocked.Read(ref _delivered);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _acknowledged.Count;
            }
        }
    }

    /// <summary>Read this only after the run.</summary>
    public IReadOnlyList<Acknowledged> Acknowledged => _acknowledged;

    /// <summary>Read this only after the run.</summary>
    public IReadOnlyList<MemberView> Views => _views;

    public MemberView View(string member, string conversation)
    {
        var view = new MemberView(this, member, conversation);
        lock (_lock)
        {
            _views.Add(view);
        }

        return view;
    }

    public void Acknowledge(Acknowledged ack)
    {
        lock (_lock)
        {
            _acknowledged.Add(ack);
            Note(ack.Conversation, ack.Epoch, ack.Seq, ack.Id, ack.Nonce);
        }
    }

    /// <summary>
    /// The sender was told of a new epoch and has repeated, with its nonce, a send that had an <c>ack</c> but no <c>durable</c>. It is the
    /// same promise again and is not counted as a new one.
    /// </summary>
    public void AcknowledgeAgain(Acknowledged ack)
    {
        lock (_lock)
        {
            _again[(ack.Conversation, ack.Sender, ack.Nonce)] = ack;
            Note(ack.Conversation, ack.Epoch, ack.Seq, ack.Id, null);
        }
    }

    /// <summary>The acknowledgement that a wiped send got when it was repeated; null if it was not repeated.</summary>
    public Acknowledged? SentAgain(Acknowledged ack)
    {
        lock (_lock)
        {
            return _again.TryGetValue((ack.Conversation, ack.Sender, ack.Nonce), out var again) ? again : null;
        }
    }

    /// <param name="key">Identifies the send for every reader. Null where the reader cannot know the send.</param>
    public void Deliver(string conversation, string? epoch, long seq, Guid id, string? key)
    {
        Interlocked.Increment(ref _delivered);
        lock (_lock)
        {
            Note(conversation, epoch, seq, id, key);
        }
    }

    /// <summary>The server reported everything up to this seq as committed.</summary>
    public void Durable(string conversation, string? epoch, long seq)
    {
        if (epoch is null)
        {
            return;
        }

        lock (_lock)
        {
            _durable[(conversation, epoch)] = Math.Max(seq, _durable.GetValueOrDefault((conversation, epoch)));
        }
    }

    /// <summary>The log of this epoch is about to be destroyed on purpose.</summary>
    public void Wipe(string epoch)
    {
        lock (_lock)
        {
            _wiped.TryAdd(epoch, TimeProvider.System.GetTimestamp());
        }
    }

    public bool IsWiped(string? epoch)
    {
        lock (_lock)
        {
            return epoch is not null && _wiped.ContainsKey(epoch);
        }
    }

    /// <summary>A reader was told that the log it knew no longer exists.</summary>
    public void Told(string formerEpoch)
    {
        lock (_lock)
        {
            if (_wiped.TryGetValue(formerEpoch, out var at))
            {
                Durations.Add(NewEpochTold, TimeProvider.System.GetElapsedTime(at));
            }
        }
    }

    public bool AnyWiped
    {
        get
        {
            lock (_lock)
            {
                return _wiped.Count > 0;
            }
        }
    }

    public long DurableUpTo(string conversation, string epoch)
    {
        lock (_lock)
        {
            return _durable.GetValueOrDefault((conversation, epoch));
        }
    }

    private void Note(string conversation, string? epoch, long seq, Guid id, string? key)
    {
        if (epoch is not null && !_places.TryAdd(new(conversation, epoch, seq), id) && _places[new(conversation, epoch, seq)] != id)
        {
            Findings.Add(Breach.Conflict, $"{conversation} {epoch}/{seq} is {_places[new(conversation, epoch, seq)]} and {id}");
        }
        // A send that a wipe took is repeated and gets a second id. Without a wipe, a second id is a second event.
        if (key is not null && !_sends.TryAdd((conversation, key), id) && _sends[(conversation, key)] != id)
        {
            if (_wiped.Count == 0)
            {
                var text = $"the send {key} to {conversation} became {_sends[(conversation, key)]} and {id}, at {seq}";
                Findings.Add(Breach.Duplicated, text);
            }
            _sends[(conversation, key)] = id;
        }
    }
}
