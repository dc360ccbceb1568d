using AspireChat.SignalRPeer;

// `node` is one replica of the chat, with the backplane Peer:Redis. `gateway` is YARP in front of the replicas in Peer:Nodes
// (comma-separated).
var builder = WebApplication.CreateBuilder(args);
if (args is ["gateway", ..])
{
    builder.AddPeerGateway();
}
else
{
    builder.AddPeerNode();
}

var app = builder.Build();
if (args is ["gateway", ..])
{
    app.MapReverseProxy();
}
else
{
    app.MapHub<ChatHub>("/chat");
}

app.MapGet("/health", () => "ok");
app.Run();
