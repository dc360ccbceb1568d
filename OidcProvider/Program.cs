using AspireChat.OidcProvider;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.AddProvider();

var app = builder.Build();
app.MapProvider();
app.Run();
