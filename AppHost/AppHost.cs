using AspireChat.AppHost;
using AspireChat.AppHost.Commands;
using AspireChat.AppHost.Servers;
using AspireChat.AppHost.Startup;
using Microsoft.Extensions.Configuration;

StartFaults.ExplainInOneLine();
var builder = DistributedApplication.CreateBuilder(args);
builder.AddServerChoice().AddStartChecks().AddReadyReport("gateway").AddOrderlyStop();

var jwtKey = builder.AddTokenKey();
var redis = builder.AddRedisServer("redis");
var chatdb = builder.AddPostgresServer("postgres", "chatdb");

var persistence = builder.AddProject<Projects.PersistenceService>("persistence")
    .AsChatService(jwtKey, icon: "DatabaseArrowDown")
    .WithReference(redis).WaitFor(redis)
    .WithDatabase(chatdb)
    .WithSettings("Persistence", "History", "Search", "Retention", "Webhooks", "Calls")
    .WithReplayDeadLettersCommand(jwtKey);

var presence = builder.AddProject<Projects.PresenceService>("presence")
    .AsChatService(jwtKey, icon: "PersonAvailable")
    .WithReference(redis).WaitFor(redis)
    .WithSettings("Presence", "Calls");

var connection = builder.AddProject<Projects.ConnectionService>("connection")
    .AsChatService(jwtKey, icon: "PlugConnected")
    .WithReplicas(2)
    .WithReference(redis).WaitFor(redis)
    .WithReference(presence)
    .WithReference(persistence).WaitFor(persistence)
    .WithSettings("Sockets", "Budgets", "Hubs", "Log", "Rooms", "Hooks", "Node", "PresenceReporting", "Subscriptions", "Memory")
    .WithDrainCommand();

var gateway = builder.AddProject<Projects.Gateway>("gateway")
    .AsChatService(jwtKey, icon: "DoorArrowRight", link: "Chat", port: builder.Configuration.GetValue("ASPIRECHAT_PORT", 8080))
    .WithExternalHttpEndpoints()
    .WithReference(connection).WaitFor(connection)
    .WithReference(presence).WaitFor(presence)
    .WithReference(persistence).WaitFor(persistence)
    .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/openapi/v1.json", DisplayText = "API" })
    .WithSettings("Gateway", "Memory")
    .WithDevelopmentTokenCommand();

builder.AddDemoTraffic("demo", gateway);

builder.Build().Run();
