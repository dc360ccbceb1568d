using AspireChat.Contracts.Frames;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Sockets;

/// <summary>
/// When the process is asked to stop: no new sockets, and every client is told to come back after a random while (they must not arrive at
/// the other replicas all at once), then closed with 1012. Readiness is off from the same moment (the host's shutdown check).
/// </summary>
internal sealed class SocketDrain(OpenSockets sockets, IOptions<SocketOptions> options, IHostApplicationLifetime lifetime,
    ILogger<SocketDrain> logger)
    : IHostedService
{
    private CancellationTokenRegistration _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Not in StopAsync: Kestrel is stopped before and would wait for these very sockets.
        _stopping = lifetime.ApplicationStopping.Register(Drain);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping.Dispose();
        return Task.CompletedTask;
    }

    private void Drain()
    {
        sockets.StopTaking();
        SocketLog.Draining(logger, sockets.Count);
        foreach (var connection in sockets.All)
        {
            var after = Random.Shared.Next((int)options.Value.ReconnectSpread.TotalMilliseconds + 1);
            connection.Outbound.Send(OutboundFrame.Of(new ReconnectFrame(after)));
            connection.Outbound.Close(CloseCodes.Restart, "restart: reconnect");
        }
    }
}
