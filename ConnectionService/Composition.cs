using AspireChat.ConnectionService.Connections;
using AspireChat.ConnectionService.History;
using AspireChat.ConnectionService.Hooks;
using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Kicks;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Messages;
using AspireChat.ConnectionService.Node;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Profiles;
using AspireChat.ConnectionService.Rooms;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.ConnectionService.Tickets;
using AspireChat.ConnectionService.Tracing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.ConnectionService;

/// <summary>What the service is made of: each feature registers itself in its own folder.</summary>
internal static class Composition
{
    public static WebApplicationBuilder AddConnectionService(this WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults();
        builder.AddChatAuthentication();
        builder.AddRedis();
        builder.AddPresenceReporting();
        builder.Services.AddNode();
        builder.Services.AddConversationLog();
        builder.AddEventReading();
        builder.AddHooks();
        builder.Services.AddSubscriptions();
        builder.Services.AddHubs();
        builder.Services.AddKicks();
        builder.Services.AddProfiles();
        builder.Services.AddMessageTracing();
        builder.Services.AddSockets();
        builder.Services.AddTickets();
        builder.Services.AddRooms();
        return builder;
    }

    public static WebApplication MapConnectionService(this WebApplication app)
    {
        app.MapDefaultEndpoints();
        app.MapSockets();
        app.MapTickets();
        app.MapMessages();
        app.MapDisconnect();
        app.MapRooms();
        app.MapServerMessages();
        app.MapProfiles();
        return app;
    }
}

internal static class ConnectionTelemetry
{
    /// <summary>The name of the service's meter and of its source of spans.</summary>
    public const string Name = "AspireChat.ConnectionService";
}
