using AspireChat.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AspireChat.ConnectionService.Presence;

public static class PresenceReportingExtensions
{
    /// <summary>
    /// Adds <see cref="IPresenceReporter"/> and the loop that carries its reports to PresenceService. Needs
    /// <see cref="ChatAuthenticationExtensions.AddChatAuthentication"/> and <see cref="ServiceDefaultsExtensions.AddServiceDefaults"/>.
    /// </summary>
    public static TBuilder AddPresenceReporting<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddValidatedOptions<PresenceReportingOptions>(PresenceReportingOptions.Section);
        builder.Services.AddSingleton<PresenceReportingMetrics>();
        builder.Services.AddSingleton<PresenceReporter>();
        builder.Services.AddSingleton<IPresenceReporter>(services => services.GetRequiredService<PresenceReporter>());
        builder.Services.AddHostedService<PresenceReportLoop>();
#pragma warning disable EXTEXP0001 // For evaluation since 2024; nothing else takes the defaults' handler off one client.
        builder.AddInternalHttpClient<IPresenceClient, PresenceClient>("presence")
            // The loop repeats reports itself, with the newest state; a circuit breaker would only keep it from noticing the recovery.
            .RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        return builder;
    }
}
