using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AspireChat.WebSockets;

/// <summary>
/// Gives the server connections whose bytes an event loop reads and writes (<see cref="LoopConnection"/>). The framework's own transport
/// cannot let go of a socket: its epoll watches it as long as it is open, and a thread of the pool is woken for each frame of a client. That
/// transport serves where there is no loop, and endpoints that are no IP addresses.
/// </summary>
/// <param name="options">The framework's: the listening socket and its backlog.</param>
public sealed partial class LoopTransport(
    EventLoops loops, IMemoryPoolFactory<byte> pools, IOptions<SocketTransportOptions> options, TimeProvider time,
    ILogger<LoopTransport> logger)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>From the range that the services' table of event ids leaves to this library: 1020 to 1029.</summary>
    private const int NotAcceptedEvent = 1021;

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint && loops.Next() is not null;

    /// <exception cref="AddressInUseException">Somebody else listens there.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
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
        var buffers = new ConnectionBuffers(pools.Create(new MemoryPoolOptions { Owner = "loop" }));
        return ValueTask.FromResult<IConnectionListener>(new Listener(socket, loops, buffers, time, logger));
    }

    [LoggerMessage(NotAcceptedEvent, LogLevel.Debug, "A connection could not be accepted ({Fault})")]
    private static partial void LogNotAccepted(ILogger logger, SocketError fault);

    private sealed class Listener(Socket socket, EventLoops loops, ConnectionBuffers buffers, TimeProvider time, ILogger logger)
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
                    return new LoopConnection(client, loops.Next()!, buffers);
                }
                catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    return null;
                }
                catch (SocketException e)
                {
                    LogNotAccepted(logger, e.SocketErrorCode);
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
