using AspireChat.PresenceService;

var builder = WebApplication.CreateBuilder(args);
builder.AddPresenceService();

var app = builder.Build();
app.MapPresenceService();
app.Run();
