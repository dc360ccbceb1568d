using System.ComponentModel.DataAnnotations;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService.Tracing;

internal static class MessageTracingRegistration
{
    /// <summary>Registers the <see cref="MessageTracer"/>.</summary>
    public static IServiceCollection AddMessageTracing(this IServiceCollection services)
    {
        // Before the configuration, which has the last word.
        services.AddOptions<MessageTracingOptions>()
            .Configure<IHostEnvironment>((options, environment) => options.SampleRatio = environment.IsDevelopment() ? 1 : 0);
        services.AddValidatedOptions<MessageTracingOptions>(MessageTracingOptions.Section);
        services.AddSingleton<MessageTracer>();
        return services;
    }
}

/// <summary>
/// Which messages are traced. Section <c>Tracing</c>. Both settings hold: of what <see cref="SampleRatio"/> picks, no more than
/// <see cref="MessagesPerSecond"/>.
/// </summary>
internal sealed class MessageTracingOptions
{
    public const string Section = "Tracing";

    /// <summary>
    /// The part of all messages that is traced: 0 (none) to 1 (all). Default 1 in Development, 0 elsewhere. A span names conversation and
    /// message, never who reads or what is said.
    /// </summary>
    [Range(0.0, 1.0)]
    public double SampleRatio { get; set; }

    /// <summary>
    /// Most messages that this node begins a trace for in one second, 1 to 10,000; as many may come at once after a pause. Default 20. A
    /// traced message costs about a kilobyte for each node and for PersistenceService, and 66 bytes wherever its record is kept.
    /// </summary>
    [Range(1, 10_000)]
    public int MessagesPerSecond { get; set; } = 20;
}
