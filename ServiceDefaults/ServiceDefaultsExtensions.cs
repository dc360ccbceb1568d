using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AspireChat.ServiceDefaults;

/// <summary>What every service of the system shares; each feature is registered in its own folder.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Connections that wait to be accepted, several times the framework's 512.</summary>
    public const int Backlog = 4_096;

    /// <summary>Telemetry, health checks, problem details, service discovery and resilient HTTP clients. Call it first.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        ServiceThreads.Set();
        // A connection that finds the queue of the kernel full is tried again by its client after a second. The system's own limit
        // (net.core.somaxconn, usually 4,096) holds above this one.
        builder.Services.Configure<SocketTransportOptions>(transport => transport.Backlog = Backlog);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddDefaultLogLevels();
        builder.AddRequestRedaction();
        builder.AddTelemetry();
        builder.AddDefaultHealthChecks();
        builder.AddProblemResponses();
        builder.AddHttpClientDefaults();
        return builder;
    }

    /// <summary>
    /// Maps <c>/health</c> and <c>/alive</c> and turns unhandled exceptions into problem details. Call it before other middleware, so that
    /// their exceptions are covered too.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.UseProblemExceptions();
        app.MapHealthEndpoints();
        return app;
    }
}
