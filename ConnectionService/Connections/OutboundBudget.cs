using AspireChat.ConnectionService.Limits;
using AspireChat.ConnectionService.Outbound;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// Bounds what waits in the queues of all connections of this node together, <see cref="BudgetOptions.NodeOutboundBytes"/>. Above it, the longest
/// queues are given up first. Not thread-safe: <see cref="Heartbeats"/> calls it.
/// </summary>
internal sealed partial class OutboundBudget(IOptions<BudgetOptions> options, ILogger<OutboundBudget> logger)
{
    private readonly long _most = options.Value.NodeOutboundBytes;

    /// <param name="queued">Bytes in all <paramref name="queues"/> together.</param>
    /// <param name="queues">Only looked at when there are too many bytes.</param>
    public void Keep(long queued, IEnumerable<OutboundQueue> queues)
    {
        if (queued <= _most)
        {
            return;
        }
        var (left, closed) = (queued, 0);
        foreach (var (queue, bytes) in queues.Select(queue => (queue, queue.Bytes)).OrderByDescending(of => of.Bytes))
        {
            if (left <= _most - _most / 5)
            {
                break;
            }
            queue.CloseTooSlow();
            left -= bytes;
            closed++;
        }
        LogShed(logger, queued, _most, closed);
    }

    [LoggerMessage(LogEvents.Connection + 156, LogLevel.Warning,
        "{Queued} bytes wait for clients, and this node may hold {Most}: the {Closed} slowest connections were closed to resume later")]
    private static partial void LogShed(ILogger logger, long queued, long most, int closed);
}
