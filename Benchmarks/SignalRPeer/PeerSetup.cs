using Microsoft.AspNetCore.SignalR;
using Yarp.ReverseProxy.Configuration;

namespace AspireChat.SignalRPeer;

internal static class PeerSetup
{
    public static void AddPeerNode(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IUserIdProvider, UserFromQuery>();
        builder.Services.AddSignalR().AddStackExchangeRedis(builder.Configuration["Peer:Redis"]!);
    }

    public static void AddPeerGateway(this WebApplicationBuilder builder)
    {
        var nodes = builder.Configuration["Peer:Nodes"]!.Split(',');
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "chat", ClusterId = "chat", Match = new RouteMatch { Path = "/chat" } }],
            [new ClusterConfig
            {
                ClusterId = "chat",
                LoadBalancingPolicy = "LeastRequests",
                Destinations = nodes.ToDictionary(node => node, node => new DestinationConfig { Address = node }),
            }]);
    }
}
