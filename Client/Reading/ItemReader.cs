using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AspireChat.Client.Delivery;
using AspireChat.Client.History;

namespace AspireChat.Client.Reading;

/// <summary>
/// One reader of the application: the items of its scope that wait for it, bounded in number. Readers do not delay each other. When the
/// buffer is full, typing and presence are dropped. Of events it is noted how far the reader has got, and once there is space they are read
/// from history (<see cref="CatchUp"/>). The session's gate guards everything but <see cref="ReadAsync"/>.
/// </summary>
internal sealed class ItemReader : IItemSink
{
    private readonly IDeliveryHost _session;
    private readonly Conversation? _scope;
    private readonly CatchUp _catchUp;
    private readonly CancellationToken _ending;
    private readonly int _capacity;
    private readonly Channel<ChatItem> _items;
    private readonly Dictionary<Conversation, Backlog> _backlogs = [];
    private ChatConnectionChanged? _unreported;
    private ChatItem? _final;
    private volatile bool _refused;
    private int _readers;

    /// <param name="scope">The conversation whose items it gets; null: everything.</param>
    public ItemReader(IDeliveryHost session, HistoryApi history, Conversation? scope, CancellationToken ending)
    {
        (_session, _scope, _ending, _capacity) = (session, scope, ending, session.Options.EventBuffer);
        _catchUp = new CatchUp(session, history, this);
        _items = Channel.CreateBounded<ChatItem>(new BoundedChannelOptions(_capacity) { SingleReader = true });
    }

    /// <summary>How many items fit now; at least 1, so that one is refused where none fits and its reader is waited for.</summary>
    public int Space => Math.Max(1, _capacity - _items.Reader.Count);

    /// <inheritdoc/>
    public void Take(ChatItem item, bool mayDrop)
    {
        if (_scope is not null && (item as ConversationItem)?.Conversation != _scope)
        {
            return;
        }

        if (item is ChatConnectionChanged change)
        {
            _unreported = TryAdd(change) ? null : change;
        }
        else if (mayDrop || item is not ConversationItem owed)
        {
            if (!TryAdd(item))
            {
                ClientMetrics.Dropped.Add(1, new KeyValuePair<string, object?>("item", item.GetType().Name));
            }
        }
        else if (_backlogs.TryGetValue(owed.Conversation, out var backlog))
        {
            backlog.Add(owed);
            Flush(backlog);
        }
        else if (!TryAdd(item))
        {
            _backlogs.Add(owed.Conversation, backlog = new Backlog(owed.Conversation));
            backlog.Add(owed);
        }
    }

    /// <summary>Adds an item unless the buffer is full.</summary>
    public bool TryAdd(ChatItem item)
    {
        // Who was refused goes first, or the order would break. Until then every item is refused.
        if (_refused)
        {
            return false;
        }

        if (_items.Writer.TryWrite(item))
        {
            return true;
        }

        _refused = true;
        // The reader may have emptied the buffer before it could see _refused. It would then wait for an item that nobody adds.
        if (!_items.Writer.TryWrite(item))
        {
            return false;
        }

        _refused = false;
        return true;
    }

    /// <summary>Whether the backlog is still to be read from history now.</summary>
    public bool GoesOn(Backlog backlog)
    {
        if (backlog.IsEmpty && _backlogs.GetValueOrDefault(backlog.Conversation) == backlog)
        {
            _backlogs.Remove(backlog.Conversation);
        }

        backlog.IsReading = backlog.After is not null && !_refused && !_ending.IsCancellationRequested
            && _backlogs.GetValueOrDefault(backlog.Conversation) == backlog;
        return backlog.IsReading;
    }

    /// <inheritdoc/>
    public void Complete(ChatConnectionChanged last)
    {
        _final ??= last;
        Close();
    }

    /// <summary>Nothing more is added. What is in the buffer can still be read.</summary>
    public void Close()
    {
        _backlogs.Clear();
        _items.Writer.TryComplete();
    }

    /// <exception cref="InvalidOperationException">It is being read already.</exception>
    public async IAsyncEnumerable<ChatItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _readers, 1) == 1)
        {
            throw new InvalidOperationException("This reader is being read already. Each call of Events gives another one.");
        }

        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_items.Reader.TryRead(out var item))
                {
                    if (_refused && _items.Reader.Count <= _capacity / 2)
                    {
                        OnSpaceMade();
                    }

                    yield return item;
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }

            if (_scope is null && Interlocked.Exchange(ref _final, null) is { } final)
            {
                yield return final;
            }
        }
        finally
        {
            Volatile.Write(ref _readers, 0);
        }
    }

    private void OnSpaceMade()
    {
        lock (_session.Gate)
        {
            _refused = false;
            if (_unreported is not null && TryAdd(_unreported))
            {
                _unreported = null;
            }

            foreach (var backlog in _backlogs.Values.ToList())
            {
                Flush(backlog);
            }
        }
    }

    private void Flush(Backlog backlog)
    {
        if (backlog.Flush(TryAdd) && !backlog.IsReading && GoesOn(backlog))
        {
            _ = Task.Run(() => _catchUp.RunAsync(backlog, _ending), CancellationToken.None);
        }
    }
}
