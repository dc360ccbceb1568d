using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace AspireChat.WebSockets;

public static class ConnectionHandoverExtensions
{
    /// <summary>
    /// Gives the requests of all endpoints the <see cref="IConnectionHandover"/>, and memory back to the system when many such connections
    /// have come or gone (<see cref="MemoryOptions"/>).
    /// </summary>
    public static IServiceCollection AddConnectionHandover(this IServiceCollection services)
    {
        var count = new HandoverCount();
        services.AddOptions<MemoryOptions>().BindConfiguration(MemoryOptions.Section).ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(count);
        services.AddHostedService<StormTrim>();
        // First, because the server applies defaults only to endpoints that are declared after them.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(new ConfigureOptions<KestrelServerOptions>(
            kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(http => ConnectionHandover.Around(http, count))))));
        return services;
    }

    /// <summary>
    /// From now on a flush completes when the kernel has its bytes. Necessary where something else than the server writes to the socket
    /// after an upgrade: it must not overtake the answer to the handshake.
    /// </summary>
    public static void FlushToKernel(this SocketTransportOptions transport) =>
        // The server's pipe pauses a flush while it holds this many bytes, and resumes it below half of them. With 2 that is: when it holds
        // none. With 1 the half would be 0, below which a pipe never is; that works only because PipeOptions raises it to 1 again.
        transport.MaxWriteBufferSize = 2;
}
