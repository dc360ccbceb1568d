using System.Threading.Channels;

namespace AspireChat.PersistenceService.Writing;

/// <summary>
/// The conversations with committed events that are not in the index of words yet, as far as this process knows; the index's marks in PostgreSQL
/// know it for good. Holds at most <see cref="Most"/>: beyond that it only remembers that there were more. Thread-safe.
/// </summary>
internal sealed class UnindexedConversations
{
    /// <summary>About 10 MB.</summary>
    private const int Most = 100_000;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _conversations = new(StringComparer.Ordinal);
    private readonly Channel<bool> _wake =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private bool _overflowed;
    private long _events;

    /// <summary>Has an item when there is something to index.</summary>
    public ChannelReader<bool> Wake => _wake.Reader;

    /// <summary>How many events this process has committed.</summary>
    public long Events => Interlocked.Read(ref _events);

    public void Add(IEnumerable<string> conversations, int events = 0)
    {
        Interlocked.Add(ref _events, events);
        lock (_gate)
        {
            foreach (var conversation in conversations)
            {
                if (_conversations.Count < Most)
                {
                    _conversations.Add(conversation);
                }
                else
                {
                    _overflowed = true;
                }
            }
        }
        _wake.Writer.TryWrite(true);
    }

    /// <summary>Takes up to <paramref name="most"/> of them out.</summary>
    /// <param name="overflowed">There were more than could be held: look for them in PostgreSQL.</param>
    public string[] Take(int most, out bool overflowed)
    {
        lock (_gate)
        {
            string[] taken = [.. _conversations.Take(most)];
            _conversations.ExceptWith(taken);
            (overflowed, _overflowed) = (_overflowed, false);
            return taken;
        }
    }
}
