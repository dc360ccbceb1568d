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
