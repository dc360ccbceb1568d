using Microsoft.Extensions.Configuration;

var builder = DistributedApplication.CreateBuilder(args);

var jwtKey = builder.AddParameter(
    "jwt-key", new GenerateParameterDefault { MinLength = 64, Special = false }, secret: true, persist: true);

var redis = builder.AddRedis("redis").WithDataVolume("aspirechat-redis-data").WithAppendOnlyFile();
var postgres = builder.AddPostgres("postgres").WithDataVolume("aspirechat-postgres-data");
var chatdb = postgres.AddDatabase("chatdb");

var persistence = builder.AddProject<Projects.PersistenceService>("persistence")
    .AsChatService(jwtKey)
    .WithReference(redis).WaitFor(redis)
    .WithReference(chatdb).WaitFor(chatdb);

var presence = builder.AddProject<Projects.PresenceService>("presence")
    .AsChatService(jwtKey)
    .WithReference(redis).WaitFor(redis);

var connection = builder.AddProject<Projects.ConnectionService>("connection")
    .AsChatService(jwtKey)
    .WithReplicas(2)
    .WithReference(redis).WaitFor(redis)
    .WithReference(presence)
    .WithReference(persistence).WaitFor(persistence);

// ASPIRECHAT_PORT moves the front door; 0 takes any free port.
var port = builder.Configuration.GetValue("ASPIRECHAT_PORT", 8080);

builder.AddProject<Projects.Gateway>("gateway")
    .AsChatService(jwtKey, port == 0 ? null : port)
    .WithExternalHttpEndpoints()
    .WithReference(connection).WaitFor(connection)
    .WithReference(presence).WaitFor(presence)
    .WithReference(persistence).WaitFor(persistence);

builder.Build().Run();
