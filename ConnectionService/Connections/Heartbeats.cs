using System.Collections.Concurrent;
using AspireChat.RedisLog;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// One clock for all sockets of the node, instead of a timer each: once a second it looks after their pings and adds up what waits in their
/// queues. Thread-safe.
/// </summary>
internal sealed class Heartbeats(IOptions<SocketOptions> options, OutboundBudget budget, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<OwnChannel, bool> _channels = [];

    /// <summary>Seconds between pings.</summary>
    public int Interval { get; } = (int)Math.Ceiling(options.Value.Heartbeat.TotalSeconds);

    /// <summary>Seconds after which a silent client is gone: not even the last ping was answered.</summary>
    public int Patience { get; } = (int)Math.Ceiling((options.Value.Heartbeat + options.Value.HeartbeatTimeout).TotalSeconds);

    public void Add(OwnChannel channel) => _channels.TryAdd(channel, true);

    public void Remove(OwnChannel channel) => _channels.TryRemove(channel, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await SharedBeat.WaitAsync(Beat, time, stoppingToken);
                var queued = 0L;
                foreach (var (channel, _) in _channels)
                {
                    channel.OnBeat();
                    queued += channel.Outbound.Bytes;
                }
                budget.Keep(queued, _channels.Keys.Select(channel => channel.Outbound));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }
}
