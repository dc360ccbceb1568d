using AspireChat.PersistenceService.Writing;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace AspireChat.PersistenceService.Migrations;

/// <summary>
/// Migrates at the start, however long PostgreSQL is away, and tells the rest of the service when it is done. Healthy from then on.
/// </summary>
internal sealed partial class MigrationService(
    Migrator migrator, OwnerDatabase owner, TimeProvider time, ILogger<MigrationService> logger) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    private readonly RecurringFault _outage = new(time);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the schema is there.</summary>
    public Task Done => _done.Task;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Done.IsCompletedSuccessfully
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("the schema is not migrated yet"));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var delay = FirstDelay; ; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
        {
            try
            {
                await migrator.RunAsync(Migration.All, stoppingToken);
                await migrator.GrantAsync(stoppingToken);
                _done.TrySetResult();
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
            {
                await CreateDatabaseAsync(stoppingToken);
            }
            catch (Exception e) when (DatabaseFaults.Is(e))
            {
                if (_outage.IsDue(out var count))
                {
                    Waiting(logger, e, count);
                }
            }
            await Task.Delay(delay, time, stoppingToken);
        }
    }

    /// <summary>A published deployment starts a bare server: this service has to create its database.</summary>
    private async Task CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var target = owner.Address;
        var name = target.Database ?? "chatdb";
        target.Database = "postgres";
        try
        {
            await using var connection = new NpgsqlConnection(target.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            var quoted = name.Replace("\"", "\"\"", StringComparison.Ordinal);
            await using var command = new NpgsqlCommand($"CREATE DATABASE \"{quoted}\"", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            DatabaseCreated(logger, name);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another replica was faster.
        }
        catch (Exception e) when (DatabaseFaults.Is(e))
        {
            if (_outage.IsDue(out var count))
            {
                Waiting(logger, e, count);
            }
        }
    }

    [LoggerMessage(LogEvents.Persistence + 1, LogLevel.Warning,
        "The schema cannot be migrated yet; trying again ({Count} failures since the last such line)")]
    private static partial void Waiting(ILogger logger, Exception exception, long count);

    [LoggerMessage(LogEvents.Persistence + 2, LogLevel.Information, "Database {Name} created")]
    private static partial void DatabaseCreated(ILogger logger, string name);
}

internal static class MigrationExtensions
{
    /// <summary>Migrates at the start; until that is done the service is not ready and consumes nothing.</summary>
    public static IHostApplicationBuilder AddMigrations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<OwnerDatabase>();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Migrator>(
            services, services.GetRequiredService<OwnerDatabase>().Source));
        builder.Services.AddSingleton<MigrationService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MigrationService>());
        // Resolved, not constructed: the check is the very service that does the work.
        builder.Services.AddHealthChecks().Add(new("migrations", services => services.GetRequiredService<MigrationService>(), null, null));
        return builder;
    }
}
