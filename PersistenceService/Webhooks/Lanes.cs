namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// The lanes of one webhook that have something to tell: which may be taken now, and which wait for their next attempt. A lane that fails holds
/// up nobody else. It knows names only; what there is to tell is in the database. Thread-safe.
/// </summary>
/// <param name="most">Lanes known at a time. Others are found again by a sweep (<see cref="IsFull"/>).</param>
/// <param name="fresh">Most lanes busy with a first attempt.</param>
/// <param name="repeats">Most lanes busy with a further one: while a server hangs, these must not take all places.</param>
internal sealed class Lanes(int most, int fresh, int repeats, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly Queue<Lane> _fresh = new();
    private readonly Queue<Lane> _repeats = new();
    private readonly PriorityQueue<Lane, long> _held = new();
    private int _busyFresh;
    private int _busyRepeats;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _lanes.Count;
            }
        }
    }

    public bool IsFull => Count >= most;

    /// <summary>When the next waiting lane is due; null: none waits.</summary>
    public TimeSpan? UntilDue
    {
        get
        {
            lock (_gate)
            {
                return _held.TryPeek(out _, out var due) ? TimeSpan.FromMilliseconds(Math.Max(0, due - Now)) : null;
            }
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Something new waits in the lane.</summary>
    public void Wake(string name, short partition)
    {
        lock (_gate)
        {
            if (_lanes.TryGetValue(name, out var lane))
            {
                lane.Again = true;
            }
            else if (_lanes.Count < most)
            {
                Enqueue(_lanes[name] = new Lane(name, partition, null));
            }
        }
    }

    /// <summary>The lane has a batch that was tried before and is to be tried again then.</summary>
    public void Found(string name, short partition, Guid? replay, DateTimeOffset due)
    {
        lock (_gate)
        {
            if (_lanes.ContainsKey(name) || _lanes.Count >= most)
            {
                return;
            }

            var lane = _lanes[name] = new Lane(name, partition, replay) { Repeats = true };
            Hold(lane, due.ToUnixTimeMilliseconds());
        }
    }

    /// <summary>Up to so many lanes that are to be worked on now. Each must be given back by <see cref="Done"/> or <see cref="Pause"/>.</summary>
    public List<Lane> Take(int count)
    {
        var taken = new List<Lane>();
        lock (_gate)
        {
            while (_held.TryPeek(out var due, out var at) && at <= Now)
            {
                _held.Dequeue();
                Enqueue(due);
            }

            Take(_repeats, repeats, ref _busyRepeats, count, taken);
            Take(_fresh, fresh, ref _busyFresh, count, taken);
        }

        return taken;
    }

    /// <summary>The lane's batch was taken, or there is none.</summary>
    /// <param name="more">The lane may have more.</param>
    public void Done(Lane lane, bool more)
    {
        lock (_gate)
        {
            Free(lane);
            if (lane.Gone)
            {
                return;
            }

            if (lane.Replay is null && (more || lane.Again || lane.Repeats))
            {
                lane.Repeats = false;
                Enqueue(lane);
            }
            else
            {
                _lanes.Remove(lane.Name);
            }
        }
    }

    /// <summary>The lane is to be tried again then.</summary>
    /// <param name="repeats">It has a batch now that was tried.</param>
    public void Pause(Lane lane, DateTimeOffset until, bool repeats)
    {
        lock (_gate)
        {
            Free(lane);
            if (!lane.Gone)
            {
                lane.Repeats = repeats;
                Hold(lane, until.ToUnixTimeMilliseconds());
            }
        }
    }

    /// <summary>Drops the lanes of all partitions but these. Calls under way go on.</summary>
    public void Keep(IReadOnlySet<int> partitions)
    {
        lock (_gate)
        {
            foreach (var lane in _lanes.Values.Where(lane => !partitions.Contains(lane.Partition)).ToList())
            {
                lane.Gone = true;
                _lanes.Remove(lane.Name);
            }
        }
    }

    private void Enqueue(Lane lane)
    {
        lane.State = LaneState.Ready;
        (lane.Repeats ? _repeats : _fresh).Enqueue(lane);
    }

    private void Hold(Lane lane, long until)
    {
        lane.State = LaneState.Held;
        _held.Enqueue(lane, until);
    }

    private static void Take(Queue<Lane> queue, int places, ref int busy, int count, List<Lane> taken)
    {
        while (busy < places && taken.Count < count && queue.TryDequeue(out var lane))
        {
            if (lane.Gone)
            {
                continue;
            }

            lane.State = LaneState.Busy;
            lane.Again = false;
            busy++;
            taken.Add(lane);
        }
    }

    private void Free(Lane lane)
    {
        if (lane.Repeats)
        {
            _busyRepeats--;
        }
        else
        {
            _busyFresh--;
        }
    }
}
