using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace AspireChat.Client.Delivery;

/// <summary>
/// What waits for the application, bounded in items. When it is full, <see cref="TryAdd"/> says no and the caller keeps or drops; once the
/// reader has made room for half of it, <c>roomMade</c> is called, on the reader's thread. Adding is for one thread at a time.
/// </summary>
internal sealed class ItemBuffer(int capacity, Action roomMade)
{
    private readonly Channel<ChatItem> _items =
        Channel.CreateBounded<ChatItem>(new BoundedChannelOptions(capacity) { SingleReader = true });
    private volatile bool _refused;
    private ChatItem? _final;
    private int _readers;

    /// <summary>An item was refused and there is not room yet.</summary>
    public bool IsFull => _refused;

    public bool TryAdd(ChatItem item)
    {
        // While refusing, everything is refused: what waits outside goes first, so that the order holds.
        if (_refused)
        {
            return false;
        }

        if (_items.Writer.TryWrite(item))
        {
            return true;
        }

        _refused = true;
        // The reader may have emptied the buffer before it could see the mark, and would then wait for an item that nobody adds.
        if (!_items.Writer.TryWrite(item))
        {
            return false;
        }

        _refused = false;
        return true;
    }

    /// <summary>Ends the stream, with one last item that needs no room.</summary>
    public void Complete(ChatItem final)
    {
        _final ??= final;
        _items.Writer.TryComplete();
    }

    /// <exception cref="InvalidOperationException">Another reader is at it.</exception>
    public async IAsyncEnumerable<ChatItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _readers, 1) == 1)
        {
            throw new InvalidOperationException("The items are read elsewhere already: order and once-only need one reader.");
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
                        roomMade();
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
