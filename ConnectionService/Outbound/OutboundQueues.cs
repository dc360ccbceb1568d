using AspireChat.WebSockets;

namespace AspireChat.ConnectionService.Outbound;

/// <summary>What one connection may have waiting, and when it is written.</summary>
/// <param name="Bytes">That wait to be sent to one connection.</param>
/// <param name="CoalesceAbove">Writes per second above which a connection is busy.</param>
/// <param name="CoalesceFor">How long frames of a busy connection wait for others; zero: never.</param>
/// <param name="CloseTimeout">After which a closing connection is cut.</param>
internal sealed record OutboundLimits(int Bytes, double CoalesceAbove, TimeSpan CoalesceFor, TimeSpan CloseTimeout);

/// <summary>Makes each connection's queue. Thread-safe.</summary>
internal sealed class OutboundQueues(
    OutboundLimits limits, OutboundDrain drain, OutboundMetrics metrics, TimeProvider time, ILogger<OutboundQueue> logger)
{
    /// <param name="abort">Cuts the connection.</param>
    /// <param name="connection">Its id, for the log.</param>
    public OutboundQueue Create(IFrameWriter writer, Action abort, string connection) =>
        new(writer, limits, drain, metrics, time, logger, abort, connection);
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
