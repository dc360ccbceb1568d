using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace AspireChat.ServiceDefaults;

internal static class TelemetryExtensions
{
    private const string SocketPath = "/ws";

    /// <summary>
    /// Metrics and traces of the platform and of every <c>AspireChat.*</c> meter and source. They, and the logs, are exported by OTLP when
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set (Aspire sets it); the exporter reads the other <c>OTEL_*</c> variables itself. What begins
    /// a trace is in docs/tracing.md.
    /// </summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<TracingOptions>(TracingOptions.Section);
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter("AspireChat.*", "Npgsql", "Yarp.ReverseProxy"))
            .WithTracing(tracing => tracing
                .SetSampler(services => new ParentBasedSampler(
                    new TraceRoots(services.GetRequiredService<IOptions<TracingOptions>>().Value.RequestRatio)))
                .AddSource("AspireChat.*", "Npgsql", "Yarp.ReverseProxy")
                .AddAspNetCoreInstrumentation(options =>
                {
                    // Probes come every few seconds from every neighbour and would bury the traces that matter.
                    // A socket's request would be a span of hours, or of nothing.
                    options.Filter = context => !IsHealthProbe(context.Request.Path) && context.Request.Path != SocketPath;
                    // The instrumentation masks query values by default, but a variable can turn that off. A token must not depend on it.
                    options.EnrichWithHttpRequest = static (activity, _) => activity.SetTag("url.query", null);
                    options.EnrichWithHttpResponse = static (activity, _) => activity.SetTag("url.query", null);
                })
                .AddHttpClientInstrumentation(options =>
                {
                    options.FilterHttpRequestMessage = request => !IsHealthProbe(request.RequestUri?.AbsolutePath);
                    // As above: a forwarded request still has its query.
                    options.EnrichWithHttpRequestMessage = static (activity, request) =>
                        activity.SetTag("url.full", request.RequestUri?.GetLeftPart(UriPartial.Path));
                }));

        // Without an exporter the log provider would format every line, and nobody would read it.
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        telemetry.UseOtlpExporter();
        builder.Services.AddHostedService<TelemetryFlush>();
    }

    private static bool IsHealthProbe(PathString path) => path == HealthExtensions.ReadyPath || path == HealthExtensions.LivePath;
}
