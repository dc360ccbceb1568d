using AspireChat.Shop;

var builder = WebApplication.CreateBuilder(args);
builder.AddSignIn();
builder.AddChat();
builder.Services.AddSingleton<Orders>();

var app = builder.Build();
app.UsePagePolicy();
app.UseDefaultFiles();
app.UseStaticFiles();
app.UseAuthentication();
app.UseAuthorization();
app.MapSignIn();
app.MapChatTokens();
app.MapOrders();
app.MapChatWebhooks();
app.Run();
