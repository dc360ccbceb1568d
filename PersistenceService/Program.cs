using AspireChat.PersistenceService;
using AspireChat.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddChatAuthentication();
builder.AddNpgsqlDataSource("chatdb");
builder.AddRedisClient("redis");
builder.AddPersistence();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapPersistence();
app.Run();
