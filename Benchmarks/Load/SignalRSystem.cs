namespace AspireChat.Benchmarks.Load;

/// <summary>
/// SignalR with two replicas, the Redis backplane without an append-only file, and YARP in front. All with default settings.
/// </summary>
internal sealed class SignalRSystem : SystemUnderTest
{
    private const string Project = "SignalRPeer";

    private SignalRSystem() : base("SignalR", new SignalRDialect())
    {
    }

    /// <summary>Starts the system and blocks until it is healthy.</summary>
    public static SignalRSystem Start() => StartAsync(new SignalRSystem(), system => system.StartAsync()).GetAwaiter().GetResult();

    private async Task StartAsync()
    {
        var redis = await StartRedisAsync(["appendonly no"]);
        (Nodes, Gateway) = ([FreeAddress(), FreeAddress()], FreeAddress());
        var settings = new Dictionary<string, string>
        {
            ["Peer__Redis"] = redis.ConnectionString,
            ["Peer__Nodes"] = string.Join(',', Nodes),
        };
        foreach (var node in Nodes)
        {
            await StartProgramAsync(Role.Node, Project, node, settings, "node");
        }

        await StartProgramAsync(Role.Gateway, Project, Gateway, settings, "gateway");
    }
}
