using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace AspireChat.WebSockets;

/// <summary>
/// A request's feature by which its connection leaves HTTP. What HTTP keeps for a request (the context, headers, claims, the token, a dozen
/// frames of middleware) is 15 KiB, and a WebSocket that stays a request keeps it for hours. After a handover only the transport is kept.
/// </summary>
public interface IConnectionHandover
{
    /// <summary>
    /// The request ends like any other. Then the connection goes to <paramref name="successor"/>, which reads from the first byte behind
    /// the request; the connection ends when it returns. Call this once, after the upgrade.
    /// </summary>
    /// <param name="successor">It must not hold the request.</param>
    /// <param name="outlives">
    /// The transport keeps the connection open when the successor returns. Whoever has it then counts its end (<see cref="HandoverCount"/>).
    /// </param>
    void HandTo(Func<ConnectionContext, Task> successor, bool outlives = false);
}

/// <summary>
/// Stands between the transport and HTTP. Without it the end of HTTP would be the end of the connection: HTTP completes the transport's
/// output, and what it adds to the server's heartbeat can never be removed.
/// </summary>
internal sealed class ConnectionHandover : PipeWriter, IConnectionHandover, IConnectionHeartbeatFeature
{
    private readonly ConnectionContext _connection;
    private IDuplexPipe _transport;
    private readonly IConnectionHeartbeatFeature? _heartbeat;
    private volatile List<(Action<object> Action, object State)>? _beats;
    private Func<ConnectionContext, Task>? _successor;
    private bool _outlives;

    private ConnectionHandover(ConnectionContext connection)
    {
        _connection = connection;
        _transport = connection.Transport;
        _heartbeat = connection.Features.Get<IConnectionHeartbeatFeature>();
        connection.Features.Set<IConnectionHandover>(this);
        if (_heartbeat is not null)
        {
            connection.Features.Set<IConnectionHeartbeatFeature>(this);
        }
        connection.Transport = new Pair(_transport.Input, this);
    }

    public override bool CanGetUnflushedBytes => _transport.Output.CanGetUnflushedBytes;

    public override long UnflushedBytes => _transport.Output.UnflushedBytes;

    /// <param name="http">Serves the requests of a connection.</param>
    /// <param name="count">Counts the connections that are handed over.</param>
    public static ConnectionDelegate Around(ConnectionDelegate http, HandoverCount count) => async connection =>
    {
        var handover = new ConnectionHandover(connection);
        try
        {
            await http(connection);
        }
        finally
        {
            if (handover.Release() is { } successor)
            {
                count.Changed();
                await successor(connection);
                if (!handover._outlives)
                {
                    count.Changed();
                }
            }
        }
    };

    public void HandTo(Func<ConnectionContext, Task> successor, bool outlives = false) =>
        (_successor, _outlives) = (successor, outlives);

    public void OnHeartbeat(Action<object> action, object state)
    {
        if (_beats is { } beats)
        {
            // Copied, because the server may be walking the old list.
            _beats = [.. beats, (action, state)];
            return;
        }
        _beats = [(action, state)];
        _heartbeat!.OnHeartbeat(static handover => ((ConnectionHandover)handover).Beat(), this);
    }

    public override void Advance(int bytes) => _transport.Output.Advance(bytes);

    public override void CancelPendingFlush() => _transport.Output.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        if (_successor is null)
        {
            _transport.Output.Complete(exception);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        _transport.Output.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        _transport.Output.WriteAsync(source, cancellationToken);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _transport.Output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _transport.Output.GetSpan(sizeHint);

    /// <summary>HTTP has ended: lets go of everything that belongs to it.</summary>
    private Func<ConnectionContext, Task>? Release()
    {
        _beats = [];
        _connection.Transport = _transport;
        // The successor may end the transport's pipes long before the connection.
        _transport = null!;
        return Interlocked.Exchange(ref _successor, null);
    }

    private void Beat()
    {
        foreach (var (action, state) in _beats!)
        {
            action(state);
        }
    }

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
