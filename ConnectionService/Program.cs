using AspireChat.ConnectionService;

var builder = WebApplication.CreateBuilder(args);
builder.AddConnectionService();

var app = builder.Build();
app.MapConnectionService();
app.Run();
