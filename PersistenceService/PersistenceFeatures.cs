using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Conversations;
using AspireChat.PersistenceService.DeadLetters;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Partitions;
using AspireChat.PersistenceService.Writing;

namespace AspireChat.PersistenceService;

/// <summary>Everything this service does, apart from how it reaches PostgreSQL and Redis.</summary>
internal static class PersistenceFeatures
{
    public static void AddPersistence(this IHostApplicationBuilder builder) => builder
        .AddMigrations()
        .AddWriting()
        .AddConsuming()
        .AddPartitions()
        .AddHistory()
        .AddConversations()
        .AddDeadLetters();

    public static void MapPersistence(this WebApplication app)
    {
        app.MapHistory();
        app.MapReplay();
        app.MapConversations();
        app.MapDeadLetters();
    }
}
