using System.Collections.Concurrent;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Outbound;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Connections;

/// <summary>
/// When the process is asked to stop: no new sockets and readiness off at once (the host's shutdown check), then one client after another
/// is told to come back and closed with 1012, spread over the drain time. The others are served as before meanwhile: the host stops
/// nothing that they need until the last socket has ended.
/// </summary>
internal sealed class SocketDrain(OpenSockets sockets, IOptions<SocketOptions> options, IHostApplicationLifetime lifetime,
    TimeProvider time, ILogger<SocketDrain> logger)
    : IHostedService
{
    /// <summary>Fewer connections than would take the whole drain time leave at this pace.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(10);

    private CancellationTokenRegistration _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Not in StopAsync: by then the server has stopped, which can take its time.
        _stopping = lifetime.ApplicationStopping.Register(() => _ = DrainAsync());
        return Task.CompletedTask;
    }

    /// <summary>Returns when the last socket has ended. The host stops nothing that sockets need before: it stops in the reverse order.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping.Dispose();
        await sockets.AllEnded.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task DrainAsync()
    {
        sockets.StopTaking();
        var open = sockets.All.ToArray();
        SocketLog.Draining(logger, open.Length);
        // Those of one user or one room are not to leave in a row.
        Random.Shared.Shuffle(open);
        var began = time.GetTimestamp();
        var pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, options.Value.DrainTime.Ticks / Math.Max(1, open.Length)));
        for (var i = 0; i < open.Length; i++)
        {
            // Timers come late; what was missed is made up for, so that the last one leaves in time.
            var wait = (pause * i) - time.GetElapsedTime(began);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time);
            }

            SendAway(open[i]);
        }

        // Those whose handshake was under way when the drain began.
        foreach (var late in sockets.All.Except(open))
        {
            SendAway(late);
        }
    }

    private void SendAway(Connection connection)
    {
        var after = Random.Shared.Next((int)options.Value.ReconnectSpread.TotalMilliseconds + 1);
        connection.Outbound.Send(OutboundFrame.Of(new ReconnectFrame(after)));
        connection.Outbound.Close(CloseCodes.Restart, CloseCodes.RestartReason);
    }
}

/// <summary>The sockets of the process, for draining. Thread-safe.</summary>
internal sealed class OpenSockets
{
    private readonly ConcurrentDictionary<Connection, bool> _open = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _draining;

    /// <summary>Completes when no new sockets are taken and the last one has ended.</summary>
    public Task AllEnded => _ended.Task;

    /// <summary>No new sockets are taken.</summary>
    public bool IsDraining => _draining;

    public int Count => _open.Count;

    public IReadOnlyCollection<Connection> All => [.. _open.Keys];

    public void Add(Connection connection) => _open.TryAdd(connection, true);

    public void Remove(Connection connection)
    {
        _open.TryRemove(connection, out _);
        EndIfEmpty();
    }

    public void StopTaking()
    {
        _draining = true;
        EndIfEmpty();
    }

    private void EndIfEmpty()
    {
        if (_draining && _open.IsEmpty)
        {
            _ended.TrySetResult();
        }
    }
}
