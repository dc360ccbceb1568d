using Microsoft.Extensions.ObjectPool;

namespace AspireChat.WebSockets;

/// <summary>
/// Frames in the order in which they go out. Taken from the <see cref="Pool"/>, so that an idle connection holds none. Not safe for
/// concurrent use.
/// </summary>
public sealed class FrameList
{
    private const int MostKept = 256;
    private const int LongestKept = 256;

    private Entry[] _entries = new Entry[4];

    /// <summary>The process's pool: it keeps at most 256 lists, none with room for more than 256 frames.</summary>
    public static ObjectPool<FrameList> Pool { get; } = new DefaultObjectPool<FrameList>(new Policy(), MostKept);

    public int Count { get; private set; }

    public OutboundFrame this[int index] => _entries[index].Frame;

    /// <param name="ephemeral">The frame may be dropped when its receiver is slow.</param>
    public void Add(OutboundFrame frame, bool ephemeral)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, 2 * Count);
        }
        _entries[Count++] = new Entry(frame, ephemeral);
    }

    /// <summary>How many frames from <paramref name="from"/> on, at least one, fit into one write.</summary>
    /// <param name="most">Bytes of the largest write.</param>
    /// <param name="bytes">Of the frames that fit.</param>
    public int CountIn(int most, int from, out int bytes)
    {
        bytes = _entries[from].Frame.Length;
        var next = from + 1;
        while (next < Count && bytes + _entries[next].Frame.Length <= most)
        {
            bytes += _entries[next++].Frame.Length;
        }
        return next - from;
    }

    /// <summary>Removes the ephemeral frames.</summary>
    /// <param name="bytes">Of the removed frames.</param>
    /// <returns>How many frames were removed.</returns>
    public int RemoveEphemeral(out int bytes)
    {
        bytes = 0;
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (_entries[i].Ephemeral)
            {
                bytes += _entries[i].Frame.Length;
            }
            else
            {
                _entries[kept++] = _entries[i];
            }
        }
        var removed = Count - kept;
        Array.Clear(_entries, kept, removed);
        Count = kept;
        return removed;
    }

    public void Clear()
    {
        Array.Clear(_entries, 0, Count);
        Count = 0;
    }

    private readonly record struct Entry(OutboundFrame Frame, bool Ephemeral);

    private sealed class Policy : PooledObjectPolicy<FrameList>
    {
        public override FrameList Create() => new();

        public override bool Return(FrameList list)
        {
            list.Clear();
            return list._entries.Length <= LongestKept;
        }
    }
}
