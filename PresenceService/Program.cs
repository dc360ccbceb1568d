using AspireChat.PresenceService;
using AspireChat.PresenceService.Queries;
using AspireChat.PresenceService.Reports;
using AspireChat.PresenceService.State;
using AspireChat.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddChatAuthentication();
builder.AddRedisClient("redis", configureOptions: PresenceRedis.Configure);
builder.AddPresence();

var app = builder.Build();
app.MapDefaultEndpoints();
app.UseAuthentication();
app.UseAuthorization();
app.MapReports();
app.MapPresence();
app.Run();
