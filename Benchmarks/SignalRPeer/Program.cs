using AspireChat.SignalRPeer;

// `node`: one replica of the chat; its backplane is Peer:Redis. `gateway`: YARP before the replicas in Peer:Nodes (comma-separated).
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
