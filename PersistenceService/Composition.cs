using AspireChat.PersistenceService.Consuming;
using AspireChat.PersistenceService.Conversations;
using AspireChat.PersistenceService.DeadLetters;
using AspireChat.PersistenceService.Erasure;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Migrations;
using AspireChat.PersistenceService.Partitions;
using AspireChat.PersistenceService.Retention;
using AspireChat.PersistenceService.Rooms;
using AspireChat.PersistenceService.Search;
using AspireChat.PersistenceService.Users;
using AspireChat.PersistenceService.Webhooks;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService;

/// <summary>What the service is made of: each feature registers itself in its own folder.</summary>
internal static class Composition
{
    public static WebApplicationBuilder AddPersistenceService(this WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.AddChatAuthentication();
        builder.AddNpgsqlDataSource("chatdb");
        builder.AddRedis(RedisDefaults.FailFast);
        builder.Services.AddCallLimits();
        builder.Services.AddValidatedOptions<PersistenceOptions>(PersistenceOptions.Section);
        builder.AddMigrations();
        builder.AddWriting();
        builder.AddConsuming();
        builder.AddPartitions();
        builder.AddHistory();
        builder.AddConversations();
        builder.AddRooms();
        builder.AddUsers();
        builder.Services.AddUserOrders();
        builder.AddSearch();
        builder.AddDeadLetters();
        builder.AddErasure();
        builder.AddRetention();
        builder.AddWebhooks();
        return builder;
    }

    public static WebApplication MapPersistenceService(this WebApplication app)
    {
        app.MapDefaultEndpoints();
        app.MapHistory();
        app.MapReplay();
        app.MapConversations();
        app.MapRooms();
        app.MapUsers();
        app.MapSearch();
        app.MapDeadLetters();
        app.MapErasure();
        app.MapWebhooks();
        return app;
    }
}
