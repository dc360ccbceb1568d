namespace AspireChat.PersistenceService.Partitions;

internal static class PartitionExtensions
{
    /// <summary>Sharing the partitions between replicas, opening and fencing them.</summary>
    public static IHostApplicationBuilder AddPartitions(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PartitionMetrics>();
        builder.Services.AddSingleton<PartitionTable>();
        builder.Services.AddSingleton<RedisSeeder>();
        builder.Services.AddSingleton<PartitionOpener>();
        builder.Services.AddSingleton<PartitionOwnership>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PartitionOwnership>());
        builder.Services.AddHostedService<PartitionSupervisor>();
        return builder;
    }
}
