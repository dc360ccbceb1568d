using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Transport;

/// <summary>
/// Gives the server connections whose bytes an event loop reads and writes (<see cref="ClientConnection"/>). The framework's own transport
/// cannot let go of a socket: its epoll watches it as long as it is open, and a thread of the pool is woken for each frame of a client. That
/// transport serves where there is no loop, and endpoints that are no IP addresses.
/// </summary>
internal sealed class ClientTransport(
    ClientLoops loops,
    SocketTransportFactory framework,
    IMemoryPoolFactory<byte> pools,
    IOptions<SocketTransportOptions> options,
    TimeProvider time,
    ILogger<ClientTransport> logger)
{
    public bool CanBind(EndPoint endpoint) => framework.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken)
    {
        if (endpoint is not IPEndPoint || loops.Next() is null)
        {
            return await framework.BindAsync(endpoint, cancellationToken);
        }

        Socket socket;
        try
        {
            socket = options.Value.CreateBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }

        socket.Listen(options.Value.Backlog);
        return new Listener(socket, loops, new ConnectionBuffers(pools.Create(new MemoryPoolOptions { Owner = "clients" })), time, logger);
    }

    private sealed class Listener(Socket socket, ClientLoops loops, ConnectionBuffers buffers, TimeProvider time, ILogger logger)
        : IConnectionListener
    {
        private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(10);

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    var client = await socket.AcceptAsync(cancellationToken);
                    client.NoDelay = true;
                    return new ClientConnection(client, loops.Next()!, buffers);
                }
                catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    return null;
                }
                catch (SocketException e)
                {
                    logger.NotAccepted(e.SocketErrorCode);
                    if (e.SocketErrorCode == SocketError.TooManyOpenSockets)
                    {
                        // Trying again at once would do nothing else until a file is closed.
                        await Task.Delay(AcceptPause, time, cancellationToken);
                    }
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return default;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            buffers.Pool.Dispose();
            return default;
        }
    }
}
