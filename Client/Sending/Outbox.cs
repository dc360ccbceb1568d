using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Sending;

/// <summary>What an outbox needs from its session.</summary>
internal interface IOutboxHost
{
    TimeSpan Now { get; }

    /// <summary>Whether events of this conversation can be sent now.</summary>
    bool IsReady(Conversation conversation);

    bool Send(byte[] frame);

    /// <summary>Asks for a call of <see cref="Outbox.Tick"/> at that time or earlier.</summary>
    void WakeAt(TimeSpan time);

    /// <summary>Whether the application got the event at this seq, or was told that it will not.</summary>
    bool IsGiven(Conversation conversation, long seq);
}

/// <summary>
/// Events on their way into the log. Each stays until it is acknowledged or refused for good, over any number of connections and always
/// with its first nonce. Bounded by <see cref="ChatClientOptions.SendQueueLimit"/>. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class Outbox(ChatClientOptions options, IOutboxHost host, PendingMessages pending)
{
    private readonly Dictionary<string, Entry> _byNonce = [];
    private readonly Dictionary<Conversation, LinkedList<Entry>> _queues = [];
    private readonly Dictionary<Conversation, TimeSpan> _pauses = [];
    private TimeSpan _pausedUntil;

    public int Count => _byNonce.Count;

    /// <param name="message">What views show meanwhile; null: the event is no message.</param>
    /// <exception cref="ChatException">The queue is full.</exception>
    /// <exception cref="ArgumentException">A send with this nonce waits already.</exception>
    public Entry Add(Conversation conversation, string nonce, byte[] frame, PendingMessage? message)
    {
        if (_byNonce.Count >= options.SendQueueLimit)
        {
            var full = new ChatException(
                ChatErrorCodes.QueueFull, $"{options.SendQueueLimit} sends already wait for their acknowledgement.");
            if (message is not null)
            {
                pending.Add(conversation, message with { State = PendingMessageState.Failed, Error = full });
            }

            throw full;
        }

        var entry = new Entry(conversation, nonce, frame, host.Now);
        if (!_byNonce.TryAdd(nonce, entry))
        {
            throw new ArgumentException("A send with this nonce already waits for its acknowledgement.", nameof(nonce));
        }

        if (!_queues.TryGetValue(conversation, out var queue))
        {
            _queues.Add(conversation, queue = []);
        }

        entry.Place = queue.AddLast(entry);
        if (message is not null)
        {
            pending.Add(conversation, message);
        }

        Pump(conversation);
        return entry;
    }

    /// <summary>Takes an event back. One that was sent already may or may not be in the log.</summary>
    public bool Withdraw(Entry entry)
    {
        if (!Remove(entry))
        {
            return false;
        }

        pending.Withdraw(entry.Conversation, entry.Nonce);
        Pump(entry.Conversation);
        return true;
    }

    /// <summary>Takes an acknowledgement or the event's own copy. False when no send waits for it.</summary>
    public bool Accept(SendReceipt receipt)
    {
        if (!_byNonce.TryGetValue(receipt.Nonce, out var entry) || entry.Conversation != receipt.Conversation || !Remove(entry))
        {
            return false;
        }

        entry.Completion.TrySetResult(receipt);
        pending.Accept(entry.Conversation, entry.Nonce, receipt.Seq, host.IsGiven(entry.Conversation, receipt.Seq));
        Pump(entry.Conversation);
        return true;
    }

    /// <summary>
    /// Takes a refusal. After a passing fault the event is sent again. Returns the conversation if the server wants it to be joined first.
    /// </summary>
    public Conversation? Refuse(string nonce, string code, string message, double? retryAfter)
    {
        if (!_byNonce.TryGetValue(nonce, out var entry))
        {
            return null;
        }

        entry.IsSent = false;
        switch (code)
        {
            case ErrorCodes.RateLimited:
                // The limit counts the user's events in all conversations, so all of them wait.
                _pausedUntil = Later(_pausedUntil, entry, retryAfter);
                host.WakeAt(_pausedUntil);
                return null;
            case ErrorCodes.Unavailable or ErrorCodes.NotJoined:
                var until = _pauses[entry.Conversation] = Later(_pauses.GetValueOrDefault(entry.Conversation), entry, retryAfter);
                host.WakeAt(until);
                return code == ErrorCodes.NotJoined ? entry.Conversation : null;
            default:
                GiveUp(entry, new ChatException(code, message));
                Pump(entry.Conversation);
                return null;
        }
    }

    /// <summary>The connection is gone. Events that were under way are sent again on the next one.</summary>
    public void Down()
    {
        foreach (var entry in _byNonce.Values)
        {
            entry.IsSent = false;
        }

        _pauses.Clear();
    }

    /// <summary>Gives up the events of one conversation, or of all.</summary>
    public void Fail(Conversation? conversation, ChatException reason)
    {
        foreach (var entry in _byNonce.Values.Where(entry => conversation is null || entry.Conversation == conversation).ToList())
        {
            GiveUp(entry, reason);
        }
    }

    public void PumpAll()
    {
        foreach (var conversation in _queues.Keys.ToList())
        {
            Pump(conversation);
        }
    }

    /// <summary>Sends the events that can be sent, in order.</summary>
    public void Pump(Conversation conversation)
    {
        if (!_queues.TryGetValue(conversation, out var queue) || !host.IsReady(conversation))
        {
            return;
        }

        if (_pausedUntil > host.Now || (_pauses.TryGetValue(conversation, out var until) && until > host.Now))
        {
            return;
        }

        _pauses.Remove(conversation);
        var places = options.SendsInFlight;
        for (var place = queue.First; place is not null && places > 0; place = place.Next, places--)
        {
            var entry = place.Value;
            if (entry.IsSent)
            {
                continue;
            }

            if (!host.Send(entry.Frame))
            {
                return;
            }

            entry.IsSent = true;
            entry.SentAt = host.Now;
            if (entry.Attempts++ > 0)
            {
                ClientMetrics.Resent.Add(1);
            }
        }
    }

    /// <summary>Repeats sends without an answer, fails sends that are too old, and sends again after pauses.</summary>
    public void Tick()
    {
        var now = host.Now;
        foreach (var entry in _byNonce.Values.Where(entry => now - entry.Created > options.SendLifetime).ToList())
        {
            GiveUp(entry, new ChatException(ChatErrorCodes.Expired, "The send waited longer than the server remembers its nonce."));
        }
        foreach (var entry in _byNonce.Values)
        {
            if (entry.IsSent && now - entry.SentAt > options.AckTimeout)
            {
                entry.IsSent = false;
            }
        }
        PumpAll();
        foreach (var until in _pauses.Values.Append(_pausedUntil).Where(until => until > now))
        {
            host.WakeAt(until);
        }
    }

    private TimeSpan Later(TimeSpan pause, Entry entry, double? retryAfter)
    {
        var wait = retryAfter ?? Math.Min(100 * Math.Pow(2, Math.Min(entry.Attempts, 10)), 5_000);
        // Up to a fifth more keeps clients from retrying at the same moment.
        var until = host.Now + TimeSpan.FromMilliseconds(wait * (1 + options.Chance() / 5));
        return until > pause ? until : pause;
    }

    private void GiveUp(Entry entry, ChatException reason)
    {
        Remove(entry);
        entry.Completion.TrySetException(reason);
        pending.Fail(entry.Conversation, entry.Nonce, reason);
    }

    private bool Remove(Entry entry)
    {
        if (!_byNonce.Remove(entry.Nonce))
        {
            return false;
        }

        var queue = entry.Place!.List!;
        queue.Remove(entry.Place);
        if (queue.Count == 0)
        {
            _queues.Remove(entry.Conversation);
        }

        return true;
    }

    /// <summary>One send. Any thread may await <see cref="Completion"/>; the rest belongs to the outbox.</summary>
    internal sealed class Entry(Conversation conversation, string nonce, byte[] frame, TimeSpan created)
    {
        public Conversation Conversation { get; } = conversation;

        public string Nonce { get; } = nonce;

        public byte[] Frame { get; } = frame;

        public TimeSpan Created { get; } = created;

        /// <summary>It was sent on the present connection and is not answered yet.</summary>
        public bool IsSent { get; set; }

        public TimeSpan SentAt { get; set; }

        public int Attempts { get; set; }

        public LinkedListNode<Entry>? Place { get; set; }

        public TaskCompletionSource<SendReceipt> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
