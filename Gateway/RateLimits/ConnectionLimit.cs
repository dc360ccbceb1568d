using System.Net;
using AspireChat.Gateway.Requests;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.RateLimits;

/// <summary>
/// Closes a connection at once when its address has <see cref="RateLimitOptions.ConnectionsPerAddress"/> already, before anything is read
/// or allocated for it. A known proxy has as many as it likes: its clients are limited by their sockets and requests.
/// </summary>
internal sealed class ConnectionLimit(
    LoopTransport loops,
    SocketTransportFactory framework,
    IOptions<GatewayOptions> options,
    IOptions<ForwardedHeadersOptions> forwarded,
    RefusalMetrics refusals)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly RateLimitOptions _limits = options.Value.RateLimits;
    private readonly HeldCounts _counts = new(options.Value.RateLimits.ConnectionsPerAddress);

    public bool CanBind(EndPoint endpoint) => loops.CanBind(endpoint) || framework.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        IConnectionListenerFactory transport = loops.CanBind(endpoint) ? loops : framework;
        var listener = await transport.BindAsync(endpoint, cancellationToken);
        return _limits.Enabled ? new Listener(this, listener) : listener;
    }

    private bool TryAdmit(ConnectionContext connection)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var remote } || forwarded.Value.IsKnownProxy(remote))
        {
            return true;
        }

        var address = ClientAddress.Of(remote);
        if (!_counts.TryAdd(address))
        {
            refusals.Add(Refusal.Connections);
            return false;
        }

        connection.ConnectionClosed.Register(() => _counts.Remove(address));
        return true;
    }

    private sealed class Listener(ConnectionLimit limit, IConnectionListener inner) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await inner.AcceptAsync(cancellationToken) is { } connection)
            {
                if (limit.TryAdmit(connection))
                {
                    return connection;
                }

                connection.Abort();
                await connection.DisposeAsync();
            }
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
