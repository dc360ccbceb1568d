using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Consuming;

internal static class ConsumingExtensions
{
    /// <summary>Reading the partition logs.</summary>
    public static IHostApplicationBuilder AddConsuming(this IHostApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<PersistenceOptions>(PersistenceOptions.Section);
        builder.Services.AddSingleton(ReplicaName.New());
        builder.Services.AddSingleton<PartitionLog>();
        builder.Services.AddSingleton<ConsumingMetrics>();
        builder.Services.AddSingleton<StepPacer>();
        builder.Services.AddSingleton<LogOutage>();
        return builder;
    }
}
