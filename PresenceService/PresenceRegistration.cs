using AspireChat.Contracts.Presence;
using AspireChat.PresenceService.Queries;
using AspireChat.PresenceService.Reports;
using AspireChat.PresenceService.State;
using AspireChat.PresenceService.Timers;
using AspireChat.PresenceService.Typing;
using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService;

public static class PresenceRegistration
{
    /// <summary>Adds presence. Needs a registered <c>IConnectionMultiplexer</c> and a <see cref="TimeProvider"/>.</summary>
    public static TBuilder AddPresence<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        var services = builder.Services;
        services.AddValidatedOptions<PresenceOptions>(PresenceOptions.Section);
        services.AddSingleton<PresenceMetrics>();
        services.AddSingleton<PresenceRedis>();
        services.AddSingleton<PresenceQueries>();
        services.AddSingleton<ArrivalHandler>();
        services.AddSingleton<TypingHandler>();
        services.AddSingleton<ReportHandler>();
        services.AddSingleton<SweepSignal>();
        services.AddSingleton<Sweep>();
        services.AddHostedService<SweepLoop>();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, PresenceJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, PresenceReportContext.Default);
        });
        return builder;
    }
}
