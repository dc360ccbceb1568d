using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class TelemetryTests
{
    [Fact]
    public async Task A_query_string_is_in_no_log_line_and_no_trace_of_a_service()
    {
        using var activities = new CapturedActivities();
        await using var service = await RunningService.StartAsync();

        for (var i = 0; i < 3; i++)
        {
            await service.GetAsync("/anyone?token=the-secret-of-this-test&x=1");
        }

        await RawRequest.SendAsync(
            service.Http.BaseAddress!, "GET /anyone?token=the-secret-of-this-test\u0001\u00ff HTTP/1.1\r\nHost: x\r\n\r\n");
        await service.DisposeAsync();

        Assert.NotEmpty(service.Logs.Lines);
        Assert.DoesNotContain(service.Logs.Lines, line => line.Contains("the-secret-of-this-test", StringComparison.Ordinal));
        // The client of this test is in the same process. Its activity is not the service's.
        string[] served = [.. activities.Stopped.Where(activity => activity.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal))];
        Assert.Contains(served, activity => activity.Contains("[url.path, /anyone]", StringComparison.Ordinal));
        Assert.DoesNotContain(served, activity => activity.Contains("url.query", StringComparison.Ordinal));
        Assert.DoesNotContain(served, activity => activity.Contains("the-secret-of-this-test", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Logs_are_exported_only_when_an_exporter_is_configured_but_metrics_and_traces_are_always_made()
    {
        await using var without = await RunningService.StartAsync();
        await using var with = await RunningService.StartAsync(settings: new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9" });

        Assert.DoesNotContain(without.App.Services.GetServices<ILoggerProvider>(), provider => provider is OpenTelemetryLoggerProvider);
        Assert.Contains(with.App.Services.GetServices<ILoggerProvider>(), provider => provider is OpenTelemetryLoggerProvider);
        foreach (var services in new[] { without.App.Services, with.App.Services })
        {
            Assert.NotNull(services.GetService<MeterProvider>());
            Assert.NotNull(services.GetService<TracerProvider>());
        }
    }

    [Fact]
    public async Task A_collector_that_never_answers_does_not_delay_a_stop()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        var service = await RunningService.StartAsync(
            settings: new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{collector.LocalEndpoint}" });
        await service.GetAsync("/anyone");

        var start = Stopwatch.GetTimestamp();
        await service.DisposeAsync();

        // The SDK alone would wait for 5 s three times.
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("-1")]
    public async Task A_sample_ratio_out_of_range_stops_the_start_and_is_named(string ratio)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(
            () => RunningService.StartAsync(settings: new() { ["Tracing:RequestRatio"] = ratio }));

        Assert.Contains("Tracing:RequestRatio", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ActivityKind.Server, 1, SamplingDecision.RecordAndSample)]
    [InlineData(ActivityKind.Server, 0, SamplingDecision.Drop)]
    [InlineData(ActivityKind.Producer, 0, SamplingDecision.RecordAndSample)]
    [InlineData(ActivityKind.Client, 1, SamplingDecision.Drop)]
    [InlineData(ActivityKind.Consumer, 1, SamplingDecision.Drop)]
    [InlineData(ActivityKind.Internal, 1, SamplingDecision.Drop)]
    public void Only_incoming_requests_and_sent_messages_begin_a_trace(ActivityKind kind, double ratio, SamplingDecision decision)
    {
        var asked = new SamplingParameters(default, ActivityTraceId.CreateRandom(), "any", kind, null, null);

        Assert.Equal(decision, new TraceRoots(ratio).ShouldSample(asked).Decision);
    }

    [Fact]
    public async Task The_projects_categories_log_at_Information_and_the_frameworks_at_Warning_unless_configured()
    {
        await using var service = await RunningService.StartAsync(isVerbose: false);
        var loggers = service.App.Services.GetRequiredService<ILoggerFactory>();

        Assert.True(loggers.CreateLogger("AspireChat.Gateway").IsEnabled(LogLevel.Information));
        Assert.False(loggers.CreateLogger("Microsoft.AspNetCore.Routing").IsEnabled(LogLevel.Information));
        Assert.True(loggers.CreateLogger("Microsoft.AspNetCore.Routing").IsEnabled(LogLevel.Warning));
        Assert.True(loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics").IsEnabled(LogLevel.Error));
    }
}
