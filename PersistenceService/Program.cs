using AspireChat.PersistenceService;

var builder = WebApplication.CreateBuilder(args);
builder.AddPersistenceService();

var app = builder.Build();
app.MapPersistenceService();
app.Run();
