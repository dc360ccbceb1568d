namespace AspireChat.Client.Delivery;

/// <summary>
/// What one conversation still has to give the application. The room's snapshot goes first, then a <see cref="Reloaded"/> or
/// <see cref="Gap"/>, then the events of the log; nothing overtakes what the application's buffer refused. One snapshot and one notice are
/// kept, and a later one replaces it. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class PendingItems(Sequencer log, ItemBuffer items)
{
    private RoomJoined? _snapshot;
    private ConversationItem? _notice;

    /// <summary>A snapshot or a notice waits for space in the application's buffer.</summary>
    public bool HasSnapshotOrNotice => _snapshot is not null || _notice is not null;

    public void Add(RoomJoined snapshot) => _snapshot = snapshot;

    public void Add(Reloaded notice) => _notice = notice;

    public void Add(Gap notice) => _notice = notice;

    /// <summary>Gives the application what is ready, as far as its buffer has space.</summary>
    /// <param name="withEvents">False while it is not known which log the events belong to.</param>
    public void Flush(bool withEvents)
    {
        if (_snapshot is not null && items.TryAdd(_snapshot))
        {
            _snapshot = null;
        }

        if (_snapshot is not null || (_notice is not null && !items.TryAdd(_notice)))
        {
            return;
        }

        _notice = null;
        // An event that arrived before the log's epoch was known gets the epoch now.
        while (withEvents && log.Peek() is { } e && items.TryAdd(e.Epoch is null ? e with { Epoch = log.Epoch } : e))
        {
            log.Delivered();
        }
    }
}
