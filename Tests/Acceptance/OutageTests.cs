using System.Text.Json.Nodes;
using AspireChat.Chaos.Faults;
using AspireChat.Contracts.Frames;

namespace AspireChat.Tests.Acceptance;

[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
[Trait("Needs", "AppHost")]
public sealed class OutageTests(ChatSystem system) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The parts that a test has broken work again before the next test begins.</summary>
    public Task DisposeAsync() => system.RecoveredAsync();

    [Fact]
    public async Task A_killed_replica_is_started_again_and_users_of_the_other_replica_are_not_affected()
    {
        var room = ChatSystem.Unique("room");
        await using var a = await system.ConnectAsync(ChatSystem.Unique("alice"));
        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await a.JoinAsync(room);
        await b.JoinAsync(room);
        await a.SayAsync(room, "before");
        await b.ExpectAsync("room");
        var (survivor, victim) = (a, b);
        var replica = system.InstanceOf(victim.Node);
        var untouched = system.Host.ProcessOf(system.InstanceOf(survivor.Node));

        await system.KillAsync(replica);
        await victim.ExpectCloseAsync();
        Assert.Null(survivor.ClosedWith);
        for (var i = 0; i < 5; i++)
        {
            await survivor.SayAsync(room, $"during {i}");
        }

        // The user of the killed replica reconnects to any node and asks for the missed events.
        var seen = victim.Received.Where(frame => (string?)frame["type"] == "room").Max(frame => (long)frame["seq"]!);
        await using var again = await system.ReconnectAsync(victim.User);
        await again.JoinAsync(room, since: seen);
        await again.ExpectAsync("resumed", frame => (bool)frame["complete"]! && (long)frame["head"]! == 6);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"during {i}"), again.Contents(room).Where(content => content != "before"));
        Assert.Equal(["before", .. Enumerable.Range(0, 5).Select(i => $"during {i}")], survivor.Contents(room));

        await system.StartAsync(replica);
        Assert.Equal(untouched, system.Host.ProcessOf(system.InstanceOf(survivor.Node)));
        await using var elsewhere = await system.ConnectElsewhereAsync(ChatSystem.Unique("carol"), survivor.Node);
        await elsewhere.JoinAsync(room);
        await survivor.SayAsync(room, "after");
        await elsewhere.ExpectAsync("room", frame => (string?)frame["content"] == "after");
    }

    [Fact]
    [Trait("Needs", "Processes")]
    public async Task While_Redis_is_away_sends_are_answered_unavailable_and_nothing_acknowledged_is_missing_afterwards()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await a.JoinAsync(room);
        await b.JoinAsync(room);
        var acknowledged = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            await a.SayAsync(room, $"before {i}");
            acknowledged.Add($"before {i}");
        }
        var redis = system.Host.ProcessOf(system.Host.Instances("redis").Single())!.Value;

        // The process is suspended: its connections stay open, and it does not answer.
        Processes.Signal("STOP", redis);
        JsonObject error;
        try
        {
            await a.SendAsync(new { type = "room", room, content = "during", nonce = "during" });
            error = await a.ExpectAsync("error", frame => (string?)frame["nonce"] == "during");
        }
        finally
        {
            Processes.Signal("CONT", redis);
        }

        Assert.Equal(ErrorCodes.Unavailable, (string?)error["code"]);
        Assert.True((int)error["retryAfter"]! > 0);
        await RetryUntilAcknowledgedAsync(a, room, "during");
        acknowledged.Add("during");
        await a.SayAsync(room, "after");
        acknowledged.Add("after");
        foreach (var socket in (ChatSocket[])[a, b])
        {
            await socket.ExpectAsync("room", frame => (string?)frame["content"] == "after");
        }

        Assert.Equal(acknowledged, a.Contents(room));
        Assert.Equal(acknowledged, b.Contents(room));
        var page = await system.GetAsync(alice, $"/api/rooms/{room}/messages?after=0");
        Assert.Equal(acknowledged, page["items"]!.AsArray().Select(item => (string)item!["content"]!));
    }

    [Fact]
    [Trait("Needs", "Processes")]
    public async Task While_PostgreSQL_is_away_chat_and_recent_history_go_on_and_the_backlog_drains_afterwards()
    {
        var (room, alice) = (ChatSystem.Unique("room"), ChatSystem.Unique("alice"));
        await using var a = await system.ConnectAsync(alice);
        await using var b = await system.ConnectElsewhereAsync(ChatSystem.Unique("bob"), a.Node);
        await a.JoinAsync(room);
        await b.JoinAsync(room);
        var postgres = Processes.WithChildren(system.Host.ProcessOf(system.Host.Instances("postgres").Single())!.Value);

        Processes.Signal("STOP", postgres);
        try
        {
            for (var i = 1; i <= 10; i++)
            {
                await a.SayAsync(room, $"m{i}");
            }

            await b.ExpectAsync("room", frame => (long)frame["seq"]! == 10);
        }
        finally
        {
            Processes.Signal("CONT", postgres);
        }

        await ChatSystem.EventuallyAsync(
            () => system.QueryAsync<long>("SELECT count(*) FROM events WHERE conversation = $1", $"r:{room}"), count => count == 10);
        await a.ExpectAsync("durable", frame => (long)frame["seq"]! == 10);
        Assert.Equal(b.Contents(room), a.Contents(room));
    }

    private static async Task RetryUntilAcknowledgedAsync(ChatSocket socket, string room, string nonce)
    {
        while (true)
        {
            await socket.SendAsync(new { type = "room", room, content = nonce, nonce });
            var ack = socket.ExpectAckAsync(nonce);
            var error = socket.ExpectAsync("error", frame => (string?)frame["nonce"] == nonce);
            if (await Task.WhenAny(ack, error) == ack)
            {
                await ack;
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds((int)(await error)["retryAfter"]!), TimeProvider.System, CancellationToken.None);
        }
    }
}
