using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Migrations;

/// <summary>Events 4000–4009.</summary>
internal static partial class MigrationMessages
{
    [LoggerMessage(LogEvents.Persistence + 0, LogLevel.Information, "Schema step {Name} applied")]
    public static partial void Applied(ILogger logger, string name);

    [LoggerMessage(LogEvents.Persistence + 1, LogLevel.Warning,
        "The schema cannot be migrated yet; trying again ({Count} failures since the last such line)")]
    public static partial void Waiting(ILogger logger, Exception exception, long count);

    [LoggerMessage(LogEvents.Persistence + 2, LogLevel.Information, "Database {Name} created")]
    public static partial void DatabaseCreated(ILogger logger, string name);
}
