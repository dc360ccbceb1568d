namespace AspireChat.ConnectionService.Outbound;

/// <summary>Where a queue is between two writes. Not thread-safe: the queue's lock guards it.</summary>
internal struct DrainStage
{
    private Stage _stage;
    private WritePace _pace;

    private enum Stage : byte
    {
        /// <summary>Nothing is queued.</summary>
        Idle,

        /// <summary>What is queued goes out with the next tick.</summary>
        Waiting,

        /// <summary>A drainer has the queue, or will have it next.</summary>
        Draining,
    }

    public readonly bool IsWaiting => _stage == Stage.Waiting;

    public readonly bool IsDraining => _stage == Stage.Draining;

    /// <param name="now">The clock's timestamp.</param>
    public readonly bool IsBusy(OutboundDrain drain, long now) => drain.Coalesces && _pace.IsBusy(now, drain.WritePrice);

    /// <summary>The queue goes to the next free drainer.</summary>
    public void Drain(OutboundQueue queue, OutboundDrain drain)
    {
        if (_stage == Stage.Draining)
        {
            return;
        }
        _stage = Stage.Draining;
        drain.Add(queue);
    }

    /// <summary>The queue is written with the next tick, unless it is to be written before.</summary>
    public void DrainSoon(OutboundQueue queue, OutboundDrain drain)
    {
        if (!drain.Coalesces)
        {
            Drain(queue, drain);
        }
        else if (_stage == Stage.Idle)
        {
            _stage = Stage.Waiting;
            drain.AddLater(queue);
        }
    }

    /// <summary>The drainer has written what there was.</summary>
    public void Rest() => _stage = Stage.Idle;

    public void Written(OutboundDrain drain, long now) => _pace.Pay(now, drain.WritePrice);
}

/// <summary>
/// Tells a busy connection from a quiet one. Each write pays for a stretch of time, and a few in a row may be paid late (the leaky bucket
/// of ATM, GCRA). Times are the clock's timestamps.
/// </summary>
internal struct WritePace
{
    /// <summary>Writes that a quiet connection may make in a row before it counts as busy.</summary>
    private const int WritesInARow = 4;

    private long _paidUntil;

    /// <param name="price">The time that one write pays for.</param>
    public readonly bool IsBusy(long now, long price) => now < _paidUntil - WritesInARow * price;

    /// <summary>A connection that was busy is quiet again soon after its last write, so a debt has a limit.</summary>
    public void Pay(long now, long price) =>
        _paidUntil = Math.Min(Math.Max(_paidUntil, now), now + WritesInARow * price) + price;
}
