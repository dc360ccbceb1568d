using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace AspireChat.ServiceDefaults;

public static class HealthExtensions
{
    /// <summary>Ready for work: every check passes.</summary>
    public const string ReadyPath = "/health";

    /// <summary>
    /// The process need not be restarted: the checks tagged <see cref="LiveTag"/> pass. A dependency that is down is no reason for a
    /// restart.
    /// </summary>
    public const string LivePath = "/alive";

    private const string LiveTag = "live";

    // A health check takes every method unless it is told otherwise.
    private static readonly HttpMethodMetadata Reading = new([HttpMethods.Get, HttpMethods.Head]);

    public static void AddDefaultHealthChecks(this IHostApplicationBuilder builder) =>
        builder.Services.AddHealthChecks()
            .AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag])
            .AddCheck<ShutdownHealthCheck>("shutdown");

    public static void MapHealthEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(ReadyPath, new HealthCheckOptions { ResponseWriter = WriteAsync })
            .AllowAnonymous().WithMetadata(Reading);
        var live = new HealthCheckOptions { ResponseWriter = WriteAsync, Predicate = check => check.Tags.Contains(LiveTag) };
        app.MapHealthChecks(LivePath, live).AllowAnonymous().WithMetadata(Reading);
    }

    /// <summary>
    /// The state, then a line for each check that is not healthy. A check's own description is shown. An exception's message is not,
    /// because drivers put host names and user names into it.
    /// </summary>
    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var text = new StringBuilder(report.Status.ToString());
        foreach (var (name, entry) in report.Entries)
        {
            if (entry.Status == HealthStatus.Healthy)
            {
                continue;
            }

            text.Append('\n').Append(name).Append(": ").Append(entry.Status);
            if (entry.Exception is { } exception)
            {
                text.Append(" (").Append(exception.GetType().Name).Append(')');
            }
            else if (!string.IsNullOrEmpty(entry.Description))
            {
                text.Append(" (").Append(entry.Description).Append(')');
            }
        }
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    /// <summary>A process that is stopping takes itself out of rotation before its sockets close.</summary>
    private sealed class ShutdownHealthCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested
                ? HealthCheckResult.Unhealthy("stopping")
                : HealthCheckResult.Healthy());
    }
}
