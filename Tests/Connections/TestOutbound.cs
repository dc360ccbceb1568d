using System.Diagnostics.Metrics;
using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.Outbound;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AspireChat.Tests.Connections;

internal static class TestOutbound
{
    public static (OutboundQueues Queues, OutboundDrain Drain) Create(SocketOptions options, TimeProvider time)
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var metrics = new OutboundMetrics(meters);
        var drain = new OutboundDrain(metrics);
        return (new OutboundQueues(options.Outbound, drain, metrics, time, NullLogger<OutboundQueue>.Instance), drain);
    }
}
