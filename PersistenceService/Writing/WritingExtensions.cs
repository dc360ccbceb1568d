namespace AspireChat.PersistenceService.Writing;

internal static class WritingExtensions
{
    /// <summary>The way of a batch into PostgreSQL.</summary>
    public static IHostApplicationBuilder AddWriting(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<WritingMetrics>();
        builder.Services.AddSingleton<BatchWriter>();
        builder.Services.AddSingleton<GroupCommit>();
        builder.Services.AddSingleton<LogPersister>();
        return builder;
    }
}
