using AspireChat.ConnectionService.Hubs;
using AspireChat.ConnectionService.Log;
using AspireChat.ConnectionService.Messages;
using AspireChat.ConnectionService.Node;
using AspireChat.ConnectionService.Presence;
using AspireChat.ConnectionService.Sockets;
using AspireChat.ConnectionService.Subscriptions;
using AspireChat.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddChatAuthentication();
builder.AddRedisClient("redis");
builder.AddPresenceReporting();
builder.Services.AddNode();
builder.Services.AddConversationLog();
builder.Services.AddSubscriptions();
builder.Services.AddHubs();
builder.Services.AddSockets();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapSockets();
app.MapMessages();
app.MapDisconnect();
app.Run();
