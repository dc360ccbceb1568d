using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace AspireChat.Client.Delivery;

/// <summary>
/// Items that wait for the application to read them, bounded in number. When the buffer is full, <see cref="TryAdd"/> refuses and the
/// caller keeps or drops the item. Items are added by one thread at a time.
/// </summary>
/// <param name="spaceMade">Called on the reader's thread once a full buffer is half empty.</param>
internal sealed class ItemBuffer(int capacity, Action spaceMade)
{
    private readonly Channel<ChatItem> _items =
        Channel.CreateBounded<ChatItem>(new BoundedChannelOptions(capacity) { SingleReader = true });
    private volatile bool _refused;
    private ChatItem? _final;
    private int _readers;

    /// <summary>An item was refused and the reader has not made space since.</summary>
    public bool IsFull => _refused;

    public bool TryAdd(ChatItem item)
    {
        // A caller that was refused goes first, or the order would break. Until then every item is refused.
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

    /// <summary>Ends the stream with one last item, which needs no space.</summary>
    public void Complete(ChatItem final)
    {
        _final ??= final;
        _items.Writer.TryComplete();
    }

    /// <exception cref="InvalidOperationException">Another reader is reading.</exception>
    public async IAsyncEnumerable<ChatItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _readers, 1) == 1)
        {
            throw new InvalidOperationException("Another reader is reading: with two, events would come out of order.");
        }

        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_items.Reader.TryRead(out var item))
                {
                    if (_refused && _items.Reader.Count <= capacity / 2)
                    {
                        _refused = false;
                        spaceMade();
                    }
                    yield return item;
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }
            if (Interlocked.Exchange(ref _final, null) is { } final)
            {
                yield return final;
            }
        }
        finally
        {
            Volatile.Write(ref _readers, 0);
        }
    }
}
