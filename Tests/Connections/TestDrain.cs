using System.Diagnostics.Metrics;
using AspireChat.ConnectionService.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Connections;

internal static class TestDrain
{
    public static OutboundDrain Create(SocketOptions options, TimeProvider time)
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        return new OutboundDrain(Options.Create(options), new SocketMetrics(meters), time, NullLogger<OutboundDrain>.Instance);
    }
}
