namespace AspireChat.PersistenceService.Migrations;

internal static class MigrationExtensions
{
    /// <summary>Migrates at the start; until that is done the service is not ready and consumes nothing.</summary>
    public static IHostApplicationBuilder AddMigrations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Migrator>();
        builder.Services.AddSingleton<MigrationService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MigrationService>());
        // Resolved, not constructed: the check is the very service that does the work.
        builder.Services.AddHealthChecks().Add(new("migrations", services => services.GetRequiredService<MigrationService>(), null, null));
        return builder;
    }
}
