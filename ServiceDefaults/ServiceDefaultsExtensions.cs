using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AspireChat.ServiceDefaults;

/// <summary>What every service of the system shares; each feature is registered in its own folder.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Telemetry, health checks, problem details, service discovery and resilient HTTP clients. Call it first.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        ServiceThreads.Set();
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
