namespace AspireChat.ConnectionService.Hubs.Feeds;

/// <summary>
/// The latest events of one conversation without a hole, bounded in events and bytes. Clients that come back after a moment are served from
/// it, and the log is not asked. The newest event is kept whatever its size. Belongs to one hub.
/// </summary>
internal sealed class EventRing(int capacity, int bytes)
{
    /// <summary>A circle that grows to the capacity: most rooms never see that many events.</summary>
    private EncodedEvent?[] _slots = new EncodedEvent?[Math.Min(8, capacity)];

    private int _start;
    private int _count;
    private long _size;
    private long _last;

    /// <summary>Adds the next event. One that does not follow the last empties the ring first.</summary>
    public void Add(EncodedEvent e)
    {
        if (e.Seq != _last + 1)
        {
            Clear();
        }

        if (_count == capacity)
        {
            RemoveOldest();
        }

        if (_count == _slots.Length)
        {
            Grow();
        }

        _slots[(_start + _count++) % _slots.Length] = e;
        _last = e.Seq;
        _size += e.Size;
        while (_size > bytes && _count > 1)
        {
            RemoveOldest();
        }
    }

    public void Clear()
    {
        Array.Clear(_slots);
        _start = _count = 0;
        _size = 0;
    }

    /// <summary>The event with this seq, or null when the ring does not hold it.</summary>
    public EncodedEvent? Find(long seq)
    {
        var back = _last - seq;
        return back < 0 || back >= _count ? null : _slots[(_start + _count - 1 - (int)back) % _slots.Length];
    }

    /// <summary>A message was deleted: its content must not be found here any more.</summary>
    public void Redact(long target)
    {
        for (var seq = Math.Max(target, _last - _count + 1); seq <= _last; seq++)
        {
            Find(seq)?.Redact(target);
        }
    }

    private void RemoveOldest()
    {
        _size -= _slots[_start]!.Size;
        _slots[_start] = null;
        _start = (_start + 1) % _slots.Length;
        _count--;
    }

    private void Grow()
    {
        var larger = new EncodedEvent?[Math.Min(capacity, _slots.Length * 2)];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = _slots[(_start + i) % _slots.Length];
        }

        _slots = larger;
        _start = 0;
    }
}
