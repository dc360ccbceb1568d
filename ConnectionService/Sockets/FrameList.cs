using System.Collections.Concurrent;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>Frames in the order they go out. Rented from a <see cref="FrameListPool"/>, so that idle connections hold none. Not
/// thread-safe.</summary>
internal sealed class FrameList
{
    private Entry[] _entries = new Entry[4];

    public int Count { get; private set; }

    public int Capacity => _entries.Length;

    public OutboundFrame this[int index] => _entries[index].Frame;

    public void Add(OutboundFrame frame, bool ephemeral)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, 2 * Count);
        _entries[Count++] = new Entry(frame, ephemeral);
    }

    /// <summary>How many frames from <paramref name="from"/> on, at least one, fit into one write.</summary>
    public int CountIn(int most, int from, out int bytes)
    {
        bytes = _entries[from].Frame.Length;
        var next = from + 1;
        while (next < Count && bytes + _entries[next].Frame.Length <= most)
            bytes += _entries[next++].Frame.Length;
        return next - from;
    }

    /// <summary>Takes out what may be skipped; returns how many frames that were.</summary>
    public int RemoveEphemeral(out int bytes)
    {
        bytes = 0;
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (_entries[i].Ephemeral)
                bytes += _entries[i].Frame.Length;
            else
                _entries[kept++] = _entries[i];
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
}

/// <summary>Keeps up to so many lists of ordinary size for the next use. Thread-safe.</summary>
internal sealed class FrameListPool
{
    private const int MostKept = 256;
    private const int LongestKept = 256;

    private readonly ConcurrentQueue<FrameList> _free = new();
    private int _kept;

    public FrameList Rent()
    {
        if (!_free.TryDequeue(out var list))
            return new FrameList();
        Interlocked.Decrement(ref _kept);
        return list;
    }

    public void Return(FrameList list)
    {
        list.Clear();
        if (list.Capacity > LongestKept)
            return;
        if (Interlocked.Increment(ref _kept) <= MostKept)
            _free.Enqueue(list);
        else
            Interlocked.Decrement(ref _kept);
    }
}
