namespace AspireChat.Client.Reading;

/// <summary>
/// What one reader still has to get of one conversation, because its buffer was full: that the room was left, its latest snapshot, the last
/// notice, and then the events from <see cref="After"/> to <see cref="Reach"/>, which are in history. So it takes the same memory whatever
/// was missed. Not thread-safe: the session's gate guards it.
/// </summary>
internal sealed class Backlog(Conversation conversation)
{
    private RoomLeft? _left;
    private RoomJoined? _snapshot;
    private ConversationItem? _notice;

    public Conversation Conversation { get; } = conversation;

    /// <summary>The events behind this place are to be read from history; null when there are none.</summary>
    public ConversationCursor? After { get; private set; }

    /// <summary>The seq of the last event that was missed. What follows it goes to the reader directly again.</summary>
    public long Reach { get; private set; }

    /// <summary>Rises when what history was asked for is no longer wanted.</summary>
    public int Generation { get; private set; }

    /// <summary>History is being read.</summary>
    public bool IsReading { get; set; }

    /// <summary>Everything was given to the reader.</summary>
    public bool IsEmpty => (_left, _snapshot, _notice, After) is (null, null, null, null);

    public void Add(ConversationItem item)
    {
        switch (item)
        {
            case ChatEvent e:
                After ??= new ConversationCursor(e.Seq - 1, e.Epoch);
                Reach = e.Seq;
                break;
            case RoomLeft left:
                Forget();
                (_left, _snapshot, _notice) = (left, null, null);
                break;
            case RoomJoined snapshot:
                _snapshot = snapshot;
                break;
            case ConversationReset reset:
                Forget();
                _notice = reset;
                break;
            case HistoryGap gap when After is not null:
                // History shows the hole when it is read.
                Reach = gap.To;
                break;
            case HistoryGap gap when _notice is ConversationReset reset:
                (After, Reach) = (new ConversationCursor(reset.Head, reset.Epoch), gap.To);
                break;
            case HistoryGap gap:
                _notice = _notice is HistoryGap earlier ? earlier with { To = gap.To } : gap;
                break;
        }
    }

    /// <summary>Gives what is not in history, as far as <paramref name="give"/> takes it. True when nothing of it is left.</summary>
    public bool Flush(Func<ChatItem, bool> give)
    {
        if (_left is not null && give(_left))
        {
            _left = null;
        }

        if (_left is null && _snapshot is not null && give(_snapshot))
        {
            _snapshot = null;
        }

        if ((_left, _snapshot) is (null, null) && _notice is not null && give(_notice))
        {
            _notice = null;
        }

        return (_left, _snapshot, _notice) is (null, null, null);
    }

    /// <summary>The reader has got all up to this seq.</summary>
    public void Given(long seq) => After = seq >= Reach ? null : After!.Value with { Seq = seq };

    private void Forget()
    {
        Generation++;
        (After, Reach) = (null, 0);
    }
}
