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
