using System.Text.Json.Nodes;
using StackExchange.Redis;

namespace AspireChat.Tests.Acceptance;

/// <summary>Presence while parts of the system die. Tests/Presence tests with a fake clock how soon it is right again.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
[Trait("Needs", "AppHost")]
public sealed class PresenceFaultTests(ChatSystem system) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The parts that a test has broken work again before the next test begins.</summary>
    public Task DisposeAsync() => system.RecoveredAsync();

    [Fact]
    public async Task When_a_node_is_killed_its_users_go_offline_and_stop_typing_but_those_who_reconnect_elsewhere_never_flap()
    {
        var room = ChatSystem.Unique("room");
        await using var a = await system.ConnectAsync(ChatSystem.Unique("alice"));
        await a.JoinAsync(room);
        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await b.JoinAsync(room);
        await using var c = await system.ConnectElsewhereAsync(ChatSystem.Unique("carol"), a.Node);
        await c.JoinAsync(room);
        await ExpectOnlineAsync(a, b.User);
        await ExpectOnlineAsync(a, c.User);
        await b.SendAsync(new { type = "typing", room });
        await a.ExpectAsync("typing", frame => (bool)frame["active"]!);

        var replica = system.InstanceOf(b.Node);
        await system.KillAsync(replica);
        await b.ExpectCloseAsync();
        await using var again = await system.ReconnectAsync(c.User);
        await again.JoinAsync(room);

        await a.ExpectAsync("typing", frame => !(bool)frame["active"]! && (string?)frame["from"] == b.User);
        await ExpectOfflineAsync(a, b.User);
        Assert.False((bool)(await system.GetAsync(a.User, $"/api/users/{b.User}/presence"))["online"]!);
        Assert.True((bool)(await system.GetAsync(a.User, $"/api/users/{c.User}/presence"))["online"]!);

        // Carol's offline is told after every frame that the node's death could have caused.
        await again.DisposeAsync();
        await ExpectOfflineAsync(a, c.User);
        Assert.Equal(["online", "offline"], Told(a, c.User));
        Assert.Equal(["online", "offline"], Told(a, b.User));
        await system.StartAsync(replica);
    }

    [Theory]
    [Trait("Needs", "Processes")]
    [InlineData("presence")]
    [InlineData("redis")]
    public async Task A_killed_PresenceService_or_Redis_takes_nobody_offline_and_presence_works_again_without_reconnects(string resource)
    {
        var room = ChatSystem.Unique("room");
        await using var a = await system.ConnectAsync(ChatSystem.Unique("alice"));
        await a.JoinAsync(room);
        var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await b.JoinAsync(room);
        await ExpectOnlineAsync(a, b.User);

        var victim = system.Host.Instances(resource).Single();
        await system.KillAsync(victim);
        await system.StartAsync(victim);
        await using var c = await system.ReconnectAsync(ChatSystem.Unique("carol"));
        await c.JoinAsync(room);

        await ExpectOnlineAsync(a, c.User);
        Assert.DoesNotContain("offline", Told(a, b.User));
        await b.DisposeAsync();
        await ExpectOfflineAsync(a, b.User);
        Assert.Null(a.ClosedWith);
    }

    [Fact]
    public async Task When_Redis_loses_all_data_presence_is_rebuilt_without_reconnects_and_nobody_is_told_offline()
    {
        var room = ChatSystem.Unique("room");
        await using var a = await system.ConnectAsync(ChatSystem.Unique("alice"));
        await a.JoinAsync(room);
        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await b.JoinAsync(room);
        await ExpectOnlineAsync(a, b.User);
        var before = a.Received.Count(IsOfBoth);

        await using (var redis = await ConnectionMultiplexer.ConnectAsync(
            await system.ConnectionStringAsync("redis") + ",allowAdmin=true"))
        {
            await redis.GetServers()[0].FlushAllDatabasesAsync();
        }

        await ChatSystem.EventuallyAsync(() => Task.FromResult(a.Received.Count(IsOfBoth)), count => count > before);
        Assert.True((bool)(await system.GetAsync(a.User, $"/api/users/{b.User}/presence"))["online"]!);
        Assert.DoesNotContain(a.Received, frame => (string?)frame["type"] == "offline");
        Assert.Null(a.ClosedWith);
        Assert.Null(b.ClosedWith);

        await using var c = await system.ReconnectAsync(ChatSystem.Unique("carol"));
        var joined = await c.JoinAsync(room);
        Assert.Equal(new[] { a.User, b.User, c.User }, joined["members"]!.AsArray().Select(user => (string)user!).Order());

        // One frame has every name. Some names may have been told before.
        bool IsOfBoth(JsonObject frame) => (string?)frame["type"] == "online" && (int)frame["count"]! == 2
            && Names(frame).Order().SequenceEqual(new[] { a.User, b.User }.Order());
    }

    /// <summary>One frame may tell of several users, so it can match several times.</summary>
    private static Task ExpectOnlineAsync(ChatSocket socket, string user) => ExpectLastAsync(socket, user, "online");

    private static Task ExpectOfflineAsync(ChatSocket socket, string user) => ExpectLastAsync(socket, user, "offline");

    private static Task ExpectLastAsync(ChatSocket socket, string user, string state) =>
        ChatSystem.EventuallyAsync(() => Task.FromResult(Told(socket, user).LastOrDefault()), last => last == state);

    /// <summary>The presence frames about the user that the socket got, in order.</summary>
    private static IEnumerable<string> Told(ChatSocket socket, string user) => socket.Received
        .Where(frame => (string?)frame["type"] is "online" or "offline" && Names(frame).Contains(user))
        .Select(frame => (string)frame["type"]!);

    private static IEnumerable<string> Names(JsonObject frame) => frame["users"]!.AsArray().Select(user => (string)user!);
}
