using AspireChat.Contracts.Presence;
using AspireChat.PresenceService.Queries;
using AspireChat.PresenceService.Reports;
using AspireChat.PresenceService.State;
using AspireChat.PresenceService.Timers;
using AspireChat.PresenceService.Typing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PresenceService;

/// <summary>What the service is made of. All of it is safe to run in any number of replicas.</summary>
internal static class Composition
{
    public static WebApplicationBuilder AddPresenceService(this WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.AddChatAuthentication();
        builder.AddRedis(PresenceRedis.Configure);

        var services = builder.Services;
        services.AddCallLimits();
        services.AddUserOrders();
        services.AddValidatedOptions<PresenceOptions>(PresenceOptions.Section);
        services.AddSingleton<PresenceMetrics>();
        services.AddSingleton<PresenceRedis>();
        services.AddSingleton<PresenceQueries>();
        services.AddSingleton<ArrivalHandler>();
        services.AddSingleton<TypingHandler>();
        services.AddSingleton<ReportHandler>();
        services.AddSingleton<Doorbell>();
        services.AddSingleton<Sweep>();
        services.AddHostedService<SweepLoop>();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, PresenceJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, PresenceReportContext.Default);
        });
        return builder;
    }

    public static WebApplication MapPresenceService(this WebApplication app)
    {
        app.MapDefaultEndpoints();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapReports();
        app.MapPresence();
        return app;
    }
}
