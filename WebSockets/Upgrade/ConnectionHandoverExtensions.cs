using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
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
    /// The server's connections at IP endpoints belong to event loops from now on (<see cref="LoopTransport"/>), so that a WebSocket can leave the
    /// server with nothing but its socket. Where there is no epoll, the framework's transport goes on to serve.
    /// </summary>
    /// <param name="name">Of the loops' threads.</param>
    /// <param name="options">Made when the server starts.</param>
    public static IServiceCollection AddLoopTransport(this IServiceCollection services, string name, Func<IServiceProvider, EventLoopOptions> options)
    {
        services.AddSingleton(provider => new EventLoops(
            name, options(provider), provider.GetRequiredService<TimeProvider>(), LoopLog.ReporterOf(provider.GetRequiredService<ILogger<EventLoops>>())));
        services.AddSingleton<LoopTransport>();
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<LoopTransport>());
        return services;
    }
}

internal static partial class LoopLog
{
    /// <summary>From the range that the services' table of event ids leaves to this library: 1020 to 1029.</summary>
    private const int FailedEvent = 1022;

    public static Action<Exception> ReporterOf(ILogger logger) => fault => Failed(logger, fault);

    [LoggerMessage(FailedEvent, LogLevel.Error, "A connection of an event loop failed: this is a bug")]
    private static partial void Failed(ILogger logger, Exception fault);
}
