using System.Text.Json.Nodes;
using StackExchange.Redis;

namespace AspireChat.Tests.Acceptance;

/// <summary>Presence while parts of the system die. How soon it is right again is tested with a clock that stands still, in Tests/Presence.</summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
[Trait("Needs", "AppHost")]
public sealed class PresenceFaultTests(ChatSystem system) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>What these tests break is whole again before the next one begins.</summary>
    public Task DisposeAsync() => system.RecoveredAsync();

    [Fact]
    public async Task When_a_node_is_killed_who_was_on_it_goes_offline_and_stops_typing_and_who_reconnected_elsewhere_never_flaps()
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

        // Carol's going is told after everything that the death of the node could have caused.
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
    public async Task A_killed_PresenceService_or_Redis_takes_nobody_offline_and_presence_goes_on_without_anybody_reconnecting(string resource)
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
    public async Task When_Redis_loses_everything_presence_is_rebuilt_without_anybody_reconnecting_and_nobody_is_told_offline()
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

        // One frame with every name, which may have been told so before as well.
        bool IsOfBoth(JsonObject frame) => (string?)frame["type"] == "online" && (int)frame["count"]! == 2
            && Names(frame).Order().SequenceEqual(new[] { a.User, b.User }.Order());
    }

    /// <summary>One frame may tell of several users, so none is used up.</summary>
    private static Task ExpectOnlineAsync(ChatSocket socket, string user) => ExpectLastAsync(socket, user, "online");

    private static Task ExpectOfflineAsync(ChatSocket socket, string user) => ExpectLastAsync(socket, user, "offline");

    private static Task ExpectLastAsync(ChatSocket socket, string user, string state) =>
        ChatSystem.EventuallyAsync(() => Task.FromResult(Told(socket, user).LastOrDefault()), last => last == state);

    /// <summary>What the socket was told about the user, in order.</summary>
    private static IEnumerable<string> Told(ChatSocket socket, string user) => socket.Received
        .Where(frame => (string?)frame["type"] is "online" or "offline" && Names(frame).Contains(user))
        .Select(frame => (string)frame["type"]!);

    private static IEnumerable<string> Names(JsonObject frame) => frame["users"]!.AsArray().Select(user => (string)user!);
}
