using AspireChat.ConnectionService.Connections;
using AspireChat.Tests.Log;
using AspireChat.Tests.WebSockets;

namespace AspireChat.Tests.Connections.Conformance;

/// <summary>The table of Tests/WebSockets on the real endpoint, with this service's own framing and with the framework's.</summary>
[Trait("Needs", "Redis")]
public sealed class ConformanceTests(ConformanceNodes nodes) : IClassFixture<ConformanceNodes>
{
    public static TheoryData<string> Names => [.. ConformanceTable.ByName.Keys];

    public static TheoryData<string> FrameworkNames => [.. ConformanceTable.ByName.Values.Where(c => !c.OwnOnly).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public Task Own_framing(string name) => RunAsync(SocketFraming.Own, name);

    [Theory]
    [MemberData(nameof(FrameworkNames))]
    public Task Framework_framing(string name) => RunAsync(SocketFraming.Framework, name);

    [Fact]
    public void The_table_is_large_enough() => Assert.InRange(FrameworkNames.Count, 150, 1_000);

    private async Task RunAsync(SocketFraming framing, string name)
    {
        await using var client = await ConnectionNode.ConnectRawAsync(nodes.AddressOf(framing), nodes.NewUser());
        await ConformanceTable.ByName[name].RunAsync(client);
    }
}

/// <summary>A node per kind of framing on one Redis.</summary>
public sealed class ConformanceNodes : IAsyncLifetime
{
    private readonly LogFixture _redis = new();
    private readonly Dictionary<SocketFraming, ConnectionNode> _nodes = [];
    private int _users;

    public async Task InitializeAsync()
    {
        await _redis.InitializeAsync();
        foreach (var framing in Enum.GetValues<SocketFraming>())
        {
            _nodes[framing] = await ConnectionNode.StartAsync(_redis.Server.ConnectionString, $"Sockets:Framing={framing}",
                "Sockets:FramesPerSecond=100000", "Sockets:EventBurst=100000", "Sockets:CloseTimeout=00:00:20",
                "Sockets:Heartbeat=00:01:30");
        }
    }

    public Uri AddressOf(SocketFraming framing) => _nodes[framing].Address;

    /// <summary>Nobody has been this user before: no limit is shared.</summary>
    public string NewUser() => $"user-{Interlocked.Increment(ref _users)}";

    internal Task<TestSocket> ConnectAsync(SocketFraming framing, string user) => _nodes[framing].ConnectAsync(user);

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes.Values)
        {
            await node.DisposeAsync();
        }

        await _redis.DisposeAsync();
    }
}
