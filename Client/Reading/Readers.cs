using AspireChat.Client.Delivery;
using AspireChat.Client.History;

namespace AspireChat.Client.Reading;

/// <summary>
/// All who get what happens in a session: the readers and the views. The first reader is there from the beginning, so that nothing is
/// missed before the application reads. The session's gate guards it.
/// </summary>
internal sealed class Readers
{
    private readonly IDeliveryHost _session;
    private readonly HistoryApi _history;
    private readonly CancellationToken _ending;
    private readonly List<IItemSink> _sinks = [];
    private readonly ItemReader _first;
    private bool _isFirstTaken;
    private ChatConnectionChanged? _last;

    public Readers(IDeliveryHost session, HistoryApi history, CancellationToken ending)
    {
        (_session, _history, _ending) = (session, history, ending);
        _sinks.Add(_first = new ItemReader(session, history, null, ending));
    }

    /// <summary>Gives an item that may be dropped when a reader has no space for it.</summary>
    public void Offer(ChatItem item) => Give(item, mayDrop: true);

    public void Give(ChatItem item) => Give(item, mayDrop: false);

    /// <summary>
    /// A reader that begins now. Without a scope it is the first one, which begins where it was left, unless somebody has that.
    /// </summary>
    public ItemReader Open(Conversation? scope)
    {
        if (scope is null && !_isFirstTaken)
        {
            _isFirstTaken = true;
            return _first;
        }

        var reader = new ItemReader(_session, _history, scope, _ending);
        Add(reader);
        return reader;
    }

    /// <summary>The application reads no longer.</summary>
    public void Close(ItemReader reader)
    {
        if (reader == _first)
        {
            _isFirstTaken = false;
        }
        else
        {
            _sinks.Remove(reader);
            reader.Close();
        }
    }

    public void Add(IItemSink sink)
    {
        if (_last is not null)
        {
            sink.Complete(_last);
        }
        else
        {
            _sinks.Add(sink);
        }
    }

    public void Remove(IItemSink sink) => _sinks.Remove(sink);

    public void MarkedRead(Conversation conversation, long seq)
    {
        foreach (var sink in _sinks)
        {
            sink.MarkedRead(conversation, seq);
        }
    }

    public void PendingChanged(Conversation conversation)
    {
        foreach (var sink in _sinks)
        {
            sink.PendingChanged(conversation);
        }
    }

    public void Complete(ChatConnectionChanged last)
    {
        _last = last;
        foreach (var sink in _sinks)
        {
            sink.Complete(last);
        }

        _sinks.Clear();
    }

    private void Give(ChatItem item, bool mayDrop)
    {
        // A catch-up that this item wakes runs elsewhere, so the list does not change meanwhile.
        foreach (var sink in _sinks)
        {
            sink.Take(item, mayDrop);
        }
    }
}
